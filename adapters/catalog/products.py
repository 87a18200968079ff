"""Products: Microsoft's list of subscriptions, joined with its list of self-service products."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args
from uuid import UUID

from adapters.csv_table import Row, read_table
from domain.product import Policy, ProductFacts

PRODUCTS = Path(__file__).with_name("microsoft_products.csv")
SELF_SERVICE = Path(__file__).with_name("self_service_products.csv")

PRODUCT_COLUMNS = ("product_name", "sku_part_number", "sku_id")
SELF_SERVICE_COLUMNS = (
    "product_name",
    "product_id",
    "allowed_policy_values",
    "trial_without_payment_method",
    "kind",
    "sku_part_number",
    "sku_id",
)
KINDS = ("microsoft_product", "third_party_offer_type")


def read_products(products: Path = PRODUCTS, self_service: Path = SELF_SERVICE) -> list[ProductFacts]:
    """Every product once; of the two lists the self-service one decides on name and id.

    The lists meet by `sku_id`, for display names repeat and differ between them. Of the 569 products 15 are sold by
    self-service; two more of the self-service list have no `sku_id` and are products of their own: 571, 17 of them
    self-service. The list's third-party offer types stand for many products of others, and are none themselves.
    """
    sold = _self_service_products(self_service)
    by_sku = {product.sku_id: product for product in sold if product.sku_id}
    listed: dict[UUID, ProductFacts] = {}
    for row in read_table(products, PRODUCT_COLUMNS):
        sku_id = _uuid(row, "sku_id")
        if sku_id in listed:
            row.refuse("sku_id", f"is there twice: {sku_id}; keep one of them")
        listed[sku_id] = by_sku.get(sku_id) or ProductFacts(
            product_id=str(sku_id),
            name=row.required("product_name"),
            sku_part_number=row.required("sku_part_number"),
            sku_id=sku_id,
            self_service=False,
            policies=(),
        )
    return [*listed.values(), *(product for product in sold if product.sku_id not in listed)]


def _self_service_products(path: Path) -> list[ProductFacts]:
    products: dict[str, ProductFacts] = {}
    for row in read_table(path, SELF_SERVICE_COLUMNS):
        product_id = row.required("product_id")
        if row["kind"] not in KINDS:
            row.refuse("kind", f"is {row['kind']!r}; write {' or '.join(KINDS)}")
        if product_id in products:
            row.refuse("product_id", f"is there twice: {product_id}; keep one of them")
        if row["kind"] == "microsoft_product":
            products[product_id] = ProductFacts(
                product_id=product_id,
                name=row.required("product_name"),
                sku_part_number=row["sku_part_number"],
                sku_id=_uuid(row, "sku_id") if row["sku_id"] else None,
                self_service=True,
                policies=_policies(row),
            )
    return list(products.values())


def _policies(row: Row) -> tuple[Policy, ...]:
    policies = row.required("allowed_policy_values").split("|")
    for policy in policies:
        if policy not in get_args(Policy):
            row.refuse("allowed_policy_values", f"{policy!r} is no policy; write {', '.join(get_args(Policy))}")
    return cast("tuple[Policy, ...]", tuple(policies))


def _uuid(row: Row, column: str) -> UUID:
    try:
        return UUID(row.required(column))
    except ValueError:
        row.refuse(column, f"{row[column]!r} is no UUID; correct it")
