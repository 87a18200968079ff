"""The catalog that most tests buy from."""

from uuid import uuid4

from domain.organization import CATALOG
from services.import_catalog import ImportCatalog, OfferRow, import_catalog
from services.ledger import Ledger
from tests.examples import POWER_BI_PRO_PRODUCT
from tests.services.contoso import OPERATOR, PRICES


def import_power_bi(ledger: Ledger) -> None:
    """Power BI Pro on sale, in each of its terms."""
    offers = tuple(OfferRow(terms=terms, unit_price_minor=price) for terms, price in PRICES.items())
    products = (POWER_BI_PRO_PRODUCT,)
    importing = ImportCatalog(
        organization_id=CATALOG, command_id=uuid4(), actor=OPERATOR, products=products, offers=offers
    )
    import_catalog(ledger, importing)
