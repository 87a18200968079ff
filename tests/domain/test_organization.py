"""Who administers an organization, and what its members may buy by themselves: `domain.organization`."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid5

import pytest
from pydantic import ValidationError

from domain.organization import CATALOG, ORGANIZATIONS, GrantedRole, Organization, OrganizationFacts, organization_id_of
from domain.product import Policy
from domain.refusals import LastAdmin, NoSimulation, PolicyNotOffered, SelfServiceDisabled
from tests.examples import (
    A_SIMULATION,
    BEN,
    CHRIS,
    CONTOSO,
    CONTOSO_FACTS,
    DAVID,
    POWER_BI_PRO_PRODUCT,
    PURCHASED_AT,
    SUBSCRIPTION,
    THE_SAME_DAY,
)
from tests.scenario import Scenario, event

Granted, Revoked, PolicySet = Organization.RoleGranted, Organization.RoleRevoked, Organization.SelfServicePolicySet
A_TRIAL_PRODUCT = POWER_BI_PRO_PRODUCT.model_copy(
    update={"policies": ("Enabled", "OnlyTrialsWithoutPaymentMethod", "Disabled")}
)


def granted(member_id: UUID, role: GrantedRole) -> Callable[[Organization], None]:
    return lambda organization: organization.grant(member_id, role)


def revoked(member_id: UUID, role: GrantedRole) -> Callable[[Organization], None]:
    return lambda organization: organization.revoke(member_id, role)


def all_revoked(member_id: UUID) -> Callable[[Organization], None]:
    return lambda organization: organization.revoke_all(member_id)


def policy(value: Policy) -> Callable[[Organization], None]:
    return lambda organization: organization.set_policy(A_TRIAL_PRODUCT, value)


# Creation.


def test_an_organization_is_created_with_its_first_admin() -> None:
    (
        Scenario(Organization)
        .when_born(CONTOSO)
        .then_told(
            event(
                Organization.OrganizationCreated,
                originator_id=organization_id_of("contoso"),
                organization=CONTOSO_FACTS,
                first_admin_id=CHRIS,
            )
        )
        .leaving(facts=CONTOSO_FACTS, roles={CHRIS: ["admin"]}, policies={})
    )


def test_the_handle_decides_the_id() -> None:
    assert organization_id_of("contoso") == uuid5(ORGANIZATIONS, "contoso") != organization_id_of("contoso-2")
    assert str(organization_id_of("contoso")) == "40ff4ae4-99b2-5336-9936-3697c4281f93"
    assert organization_id_of("catalog") == CATALOG


@pytest.mark.parametrize(
    "wrong",
    [
        {"handle": "Contoso"},
        {"handle": ""},
        {"handle": "-contoso"},
        {"handle": "contoso\n"},
        {"handle": "a" * 64},
        {"country": "USA"},
        {"currency": "usd"},
        {"currency_exponent": 5},
        {"color": "blue"},
    ],
)
def test_facts_out_of_shape_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        OrganizationFacts.model_validate(CONTOSO_FACTS.model_dump() | wrong)


# Roles.


def test_granting_a_role() -> None:
    (
        Scenario(Organization)
        .given(CONTOSO)
        .when(granted(BEN, "auditor"))
        .then_told(event(Granted, member_id=BEN, role="auditor"))
        .leaving(roles={CHRIS: ["admin"], BEN: ["auditor"]})
    )


def test_granting_a_role_again_tells_nothing() -> None:
    Scenario(Organization).given(CONTOSO).when(granted(CHRIS, "admin")).then_told_nothing()


def test_revoking_a_role() -> None:
    (
        Scenario(Organization)
        .given(CONTOSO, granted(BEN, "auditor"))
        .when(revoked(BEN, "auditor"))
        .then_told(event(Revoked, member_id=BEN, role="auditor"))
    )


@pytest.mark.parametrize("member_id", [BEN, DAVID])
def test_revoking_a_role_that_is_not_held_tells_nothing(member_id: UUID) -> None:
    (
        Scenario(Organization)
        .given(CONTOSO, granted(BEN, "auditor"), revoked(BEN, "auditor"))
        .when(revoked(member_id, "auditor"))
        .then_told_nothing()
    )


def test_a_member_can_have_several_roles() -> None:
    organization = CONTOSO()
    granted(CHRIS, "auditor")(organization)
    assert organization.has_role(CHRIS, "admin")
    assert organization.has_role(CHRIS, "auditor")
    assert not organization.has_role(CHRIS, "billing_reader")
    assert not organization.has_role(BEN, "auditor")


def test_the_last_admin_stays() -> None:
    (
        Scenario(Organization)
        .given(CONTOSO, granted(BEN, "auditor"))
        .when(revoked(CHRIS, "admin"))
        .then_refused(LastAdmin, member_id=str(CHRIS))
    )


def test_one_of_two_admins_may_go_and_the_other_may_not_follow() -> None:
    (
        Scenario(Organization)
        .given(CONTOSO, granted(BEN, "admin"))
        .when(revoked(CHRIS, "admin"))
        .then_told(event(Revoked, member_id=CHRIS, role="admin"))
    )
    (
        Scenario(Organization)
        .given(CONTOSO, granted(BEN, "admin"), revoked(CHRIS, "admin"))
        .when(revoked(BEN, "admin"))
        .then_refused(LastAdmin, member_id=str(BEN))
    )


def test_who_leaves_loses_every_role() -> None:
    (
        Scenario(Organization)
        .given(CONTOSO, granted(BEN, "billing_reader"), granted(BEN, "admin"), granted(BEN, "auditor"))
        .when(all_revoked(BEN))
        .then_told(
            event(Revoked, member_id=BEN, role="admin"),
            event(Revoked, member_id=BEN, role="auditor"),
            event(Revoked, member_id=BEN, role="billing_reader"),
        )
    )


def test_the_last_admin_cannot_leave_and_loses_no_other_role_by_trying() -> None:
    (
        Scenario(Organization)
        .given(CONTOSO, granted(CHRIS, "auditor"), granted(CHRIS, "billing_reader"))
        .when(all_revoked(CHRIS))
        .then_refused(LastAdmin, member_id=str(CHRIS))
    )


def test_who_has_no_role_leaves_without_a_word() -> None:
    Scenario(Organization).given(CONTOSO).when(all_revoked(BEN)).then_told_nothing()


# Policy.


def test_a_product_is_enabled_unless_said_otherwise() -> None:
    assert CONTOSO().policy_of("CFQ7TTC0H9MP") == "Enabled"


@pytest.mark.parametrize("value", ["OnlyTrialsWithoutPaymentMethod", "Disabled"])
def test_setting_a_policy(value: Policy) -> None:
    (
        Scenario(Organization)
        .given(CONTOSO)
        .when(policy(value))
        .then_told(event(PolicySet, product_id="CFQ7TTC0H9MP", policy=value, policy_before="Enabled"))
    )


def test_a_policy_says_what_it_was_before() -> None:
    (
        Scenario(Organization)
        .given(CONTOSO, policy("Disabled"))
        .when(policy("Enabled"))
        .then_told(event(PolicySet, policy="Enabled", policy_before="Disabled"))
    )


@pytest.mark.parametrize("given", [(), (policy("Disabled"), policy("Enabled"))])
def test_the_policy_that_holds_tells_nothing(given: tuple[Callable[[Organization], None], ...]) -> None:
    Scenario(Organization).given(CONTOSO, *given).when(policy("Enabled")).then_told_nothing()


def test_a_policy_that_the_product_does_not_offer_is_refused() -> None:
    (
        Scenario(Organization)
        .given(CONTOSO)
        .when(lambda contoso: contoso.set_policy(POWER_BI_PRO_PRODUCT, "OnlyTrialsWithoutPaymentMethod"))
        .then_refused(
            PolicyNotOffered,
            product_id="CFQ7TTC0H9MP",
            policy="OnlyTrialsWithoutPaymentMethod",
            allowed=["Enabled", "Disabled"],
        )
    )


@pytest.mark.parametrize("value", ["OnlyTrialsWithoutPaymentMethod", "Disabled"])
def test_self_service_is_refused_unless_enabled(value: Policy) -> None:
    (
        Scenario(Organization)
        .given(CONTOSO, policy(value))
        .when(lambda contoso: contoso.refuse_unless_self_service("CFQ7TTC0H9MP"))
        .then_refused(SelfServiceDisabled, product_id="CFQ7TTC0H9MP", policy=value)
    )


def test_the_policy_of_one_product_is_not_that_of_another() -> None:
    organization = CONTOSO()
    policy("Disabled")(organization)
    organization.refuse_unless_self_service("CFQ7TTC0LH05")


# One credit of more days than were unused, per product in 30 days.

THIRTY_DAYS = timedelta(days=30)


def full_credit(product_id: str = "CFQ7TTC0H9MP", *, at: datetime = PURCHASED_AT) -> Callable[[Organization], None]:
    return lambda organization: organization.give_full_credit(product_id, subscription_id=SUBSCRIPTION, at=at)


def test_a_full_credit_says_when_the_one_before_was_given() -> None:
    later = PURCHASED_AT + THIRTY_DAYS
    scenario = Scenario(Organization).given(CONTOSO).when(full_credit())
    scenario.then_told(
        event(
            Organization.FullCreditGiven,
            product_id="CFQ7TTC0H9MP",
            subscription_id=SUBSCRIPTION,
            given_at=PURCHASED_AT,
            given_before_at=None,
        )
    )
    (
        Scenario(Organization)
        .given(CONTOSO, full_credit())
        .when(full_credit(at=later))
        .then_told(event(Organization.FullCreditGiven, given_at=later, given_before_at=PURCHASED_AT))
        .leaving(full_credits={"CFQ7TTC0H9MP": later})
    )


def test_the_next_one_may_be_given_after_30_days() -> None:
    organization = CONTOSO()
    assert organization.may_give_full_credit("CFQ7TTC0H9MP", PURCHASED_AT)
    full_credit()(organization)
    assert not organization.may_give_full_credit("CFQ7TTC0H9MP", PURCHASED_AT)
    assert not organization.may_give_full_credit("CFQ7TTC0H9MP", PURCHASED_AT + THIRTY_DAYS - timedelta(microseconds=1))
    assert organization.may_give_full_credit("CFQ7TTC0H9MP", PURCHASED_AT + THIRTY_DAYS)


def test_another_product_has_its_own() -> None:
    organization = CONTOSO()
    full_credit()(organization)
    assert organization.may_give_full_credit("CFQ7TTC0LH05", PURCHASED_AT)


# The time of a simulation.


def recorded(at: datetime) -> Callable[[Organization], None]:
    """As the ledger does after a save."""
    return lambda organization: setattr(organization, "occurred_at", at)


def advanced(to: datetime) -> Callable[[Organization], None]:
    return lambda organization: organization.advance(to)


def test_a_simulation_lives_on_to_a_time() -> None:
    (
        Scenario(Organization)
        .given(A_SIMULATION)
        .when(advanced(THE_SAME_DAY))
        .then_told(event(Organization.SimulationAdvanced, advanced_to=THE_SAME_DAY))
    )


@pytest.mark.parametrize("to", [PURCHASED_AT, THE_SAME_DAY])
def test_a_simulation_never_goes_back(to: datetime) -> None:
    organization = A_SIMULATION()
    organization.collect_events()
    recorded(THE_SAME_DAY)(organization)
    organization.advance(to)
    assert not organization.pending_events
    organization.advance(THE_SAME_DAY + timedelta(microseconds=1))
    assert len(organization.pending_events) == 1


def test_a_real_organization_lives_at_the_clock() -> None:
    (Scenario(Organization).given(CONTOSO).when(advanced(THE_SAME_DAY)).then_refused(NoSimulation, handle="contoso"))
