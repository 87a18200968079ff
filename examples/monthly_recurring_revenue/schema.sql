CREATE SCHEMA IF NOT EXISTS recurring_revenue;

-- What each subscription comes to in a month now, in twelfths of a minor unit; 0: it has ended.
CREATE TABLE IF NOT EXISTS recurring_revenue.subscriptions (
    subscription_id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    product_id text NOT NULL,
    currency text NOT NULL,
    currency_exponent integer NOT NULL,
    twelfths bigint NOT NULL CHECK (twelfths >= 0)
);

-- Every change of that, by the event that told it. Sums of these are all that is reported: two members of the group
-- add rows for the same product and day without waiting for each other.
CREATE TABLE IF NOT EXISTS recurring_revenue.movements (
    position bigint PRIMARY KEY,
    subscription_id uuid NOT NULL REFERENCES recurring_revenue.subscriptions,
    product_id text NOT NULL,
    currency text NOT NULL,
    currency_exponent integer NOT NULL,
    day date NOT NULL,
    kind text NOT NULL CHECK (kind IN ('new', 'expansion', 'contraction', 'churn', 'reactivation')),
    twelfths bigint NOT NULL CHECK (twelfths <> 0)
);
CREATE INDEX IF NOT EXISTS movements_by_day ON recurring_revenue.movements (day);
