import pytest

from domain.refusals import NotAllowed
from services.command import Actor
from services.list_policies import ListPolicies, PoliciesListed, PolicyListed, list_policies
from services.set_self_service_policy import SetSelfServicePolicy
from tests.examples import POWER_BI_PRO_PRODUCT
from tests.services.contoso import OPERATOR, Contoso, a_product

NOT_SOLD_SO = a_product(self_service=False, policies=())


def listed(contoso: Contoso, by: Actor) -> PoliciesListed:
    query = ListPolicies(organization_id=contoso.organization_id, actor=by)
    return list_policies(contoso.ledger, query, [POWER_BI_PRO_PRODUCT, NOT_SOLD_SO])


def test_of_each_self_service_product_at_a_version(contoso: Contoso) -> None:
    product = POWER_BI_PRO_PRODUCT
    before = listed(contoso, contoso.admin)
    enabled = PolicyListed(
        product_id=product.product_id, product=product.name, policy="Enabled", allowed=product.policies
    )
    assert before.policies == (enabled,)
    command = contoso.command(SetSelfServicePolicy, contoso.admin, product_id=product.product_id, policy="Disabled")
    contoso.run(command.model_copy(update={"if_versions": {contoso.organization_id: before.organization_version}}))
    after = listed(contoso, OPERATOR)
    assert after.policies == (enabled.model_copy(update={"policy": "Disabled"}),)
    assert after.organization_version == before.organization_version + 1


def test_for_those_who_set_them(contoso: Contoso) -> None:
    for role in ("purchaser", "billing_reader", "auditor", "service"):
        with pytest.raises(NotAllowed):
            listed(contoso, contoso.by(role))
