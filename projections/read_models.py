"""The read models there are."""

from projections.assignments import Assignments
from projections.billing_profiles import BillingProfiles
from projections.due_work import DueWork
from projections.invoice_history import InvoiceHistory
from projections.payments import Payments
from projections.projection import Projection
from projections.purchases import Purchases

READ_MODELS: tuple[Projection, ...] = (
    Purchases(),
    Assignments(),
    DueWork(),
    InvoiceHistory(),
    BillingProfiles(),
    Payments(),
)
