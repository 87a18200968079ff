"""The read models there are."""

from projections.assignments import Assignments
from projections.due_work import DueWork
from projections.projection import Projection
from projections.purchases import Purchases

READ_MODELS: tuple[Projection, ...] = (Purchases(), Assignments(), DueWork())
