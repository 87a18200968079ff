-- The kit's own tables, in the database of the consumer: where it stands is kept with what it did.
CREATE SCHEMA IF NOT EXISTS kit;

-- Which ledger and epoch the positions of a consumer belong to.
CREATE TABLE IF NOT EXISTS kit.consumers (
    consumer text PRIMARY KEY,
    source text NOT NULL,
    since timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS kit.places (
    consumer text NOT NULL,
    source text NOT NULL,
    partition integer NOT NULL,
    position bigint NOT NULL DEFAULT 0,
    started_after bigint NOT NULL DEFAULT 0,
    kafka_offset bigint,
    kafka_position bigint,
    moved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, source, partition)
);

CREATE TABLE IF NOT EXISTS kit.sequences (
    consumer text NOT NULL,
    source text NOT NULL,
    organization_id uuid NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (consumer, source, organization_id)
);

-- Events that could not be handled, and all later ones of the same organization.
CREATE TABLE IF NOT EXISTS kit.parked (
    consumer text NOT NULL,
    source text NOT NULL,
    position bigint NOT NULL,
    partition integer NOT NULL,
    organization_id uuid NOT NULL,
    sequence bigint NOT NULL,
    type text NOT NULL,
    attributes jsonb NOT NULL,
    content bytea NOT NULL,
    attempts integer NOT NULL,
    error text,
    parked_at timestamptz NOT NULL DEFAULT now(),
    tried_at timestamptz,
    PRIMARY KEY (consumer, source, position)
);
CREATE INDEX IF NOT EXISTS parked_of_an_organization ON kit.parked (consumer, source, organization_id, position);

-- What was given up, by whom and why; nothing here is read again.
CREATE TABLE IF NOT EXISTS kit.discarded (
    consumer text NOT NULL,
    source text NOT NULL,
    position bigint NOT NULL,
    organization_id uuid NOT NULL,
    sequence bigint NOT NULL,
    type text NOT NULL,
    attributes jsonb NOT NULL,
    content bytea NOT NULL,
    attempts integer NOT NULL,
    error text,
    because text NOT NULL,
    discarded_by text NOT NULL DEFAULT session_user,
    discarded_at timestamptz NOT NULL DEFAULT now()
);
