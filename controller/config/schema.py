"""JSON Schemas of the configuration files, which editors read."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from controller.config.approvals import ApprovalsFile
from controller.config.chances import ChancesFile
from controller.config.models import ClientFile, FileModel, HandpieceFile, ProgramFile
from controller.config.skin_models import RemovalFile, SitesFile

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
SCHEMAS: Final[Mapping[str, type[FileModel]]] = MappingProxyType(
    {
        "program": ProgramFile,
        "client": ClientFile,
        "handpiece": HandpieceFile,
        "sites": SitesFile,
        "removal": RemovalFile,
        "approvals": ApprovalsFile,
        "chances": ChancesFile,
    }
)


def schema_text(model: type[FileModel]) -> str:
    """Return the JSON Schema of one kind of file."""
    schema = {"$schema": DIALECT, **model.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
