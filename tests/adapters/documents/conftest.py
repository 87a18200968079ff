import pytest

from adapters.documents.typesetter import TypstTypesetter


@pytest.fixture(scope="session")
def typesetter() -> TypstTypesetter:
    return TypstTypesetter()
