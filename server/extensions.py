"""The Flask extensions, made once and bound to the application by `create_app`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_compress import Compress
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """All models; every constraint has a name, so that both databases can change it by migration."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False, "autoflush": False})
if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model
    """What every model extends; its tables are named after its classes."""

compress = Compress()
