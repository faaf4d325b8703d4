"""A small company with the catalogue that the imports refer to."""

from __future__ import annotations

import pytest

from tests.builders import SmallCompany


@pytest.fixture
def company_id(company: SmallCompany, context: None) -> str:
    """The id of the small company, in an application context."""
    return company.id
