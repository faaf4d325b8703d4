"""One file for each synced entity, `COLLECTIONS` the list: adding one is a file here, a model, a migration."""

from __future__ import annotations

from schemas.entities.asset import AssetSchema
from schemas.entities.base import EntitySchema
from schemas.entities.branch import BranchSchema
from schemas.entities.checklist import ChecklistSchema
from schemas.entities.coverage import CoverageSchema
from schemas.entities.customer import CustomerSchema
from schemas.entities.product_model import ProductModelSchema
from schemas.entities.service_kind import ServiceKindSchema
from schemas.entities.site import SiteSchema
from schemas.entities.technician import TechnicianSchema
from schemas.entities.visit import VisitSchema

COLLECTIONS: dict[str, EntitySchema] = {
    schema.collection: schema
    for schema in (
        AssetSchema(),
        BranchSchema(),
        ChecklistSchema(),
        CoverageSchema(),
        CustomerSchema(),
        ProductModelSchema(),
        ServiceKindSchema(),
        SiteSchema(),
        TechnicianSchema(),
        VisitSchema(),
    )
}
"""Collection name -> its schema, ready to dump and to load."""
