"""Sets invoices with typst: the template and the fonts are loaded once, each invoice is data."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time
from pathlib import Path
from threading import Lock

import typst

from adapters.documents.fonts import folders
from adapters.documents.page import page_of
from services.ports_documents import ShownInvoice

_TEMPLATE = Path(__file__).with_name("invoice.typ")


class TypstTypesetter:
    """Makes pages; may be used from several threads, one page at a time."""

    def __init__(self) -> None:
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders())
        self._compiler = typst.Compiler(_TEMPLATE, root=_TEMPLATE.parent, font_paths=fonts)
        self._one_at_a_time = Lock()  # a compiler refuses a second caller

    def invoice(self, shown: ShownInvoice) -> bytes:
        """The invoice with its credit notes as a PDF: the same bytes for the same content."""
        page = json.dumps(page_of(shown), ensure_ascii=False)
        with self._one_at_a_time:
            made = self._compiler.compile(
                format="pdf",
                sys_inputs={"page": page},
                timestamp=datetime.combine(shown.issued_on, time(), UTC),  # the clock would change the bytes
            )
        assert isinstance(made, bytes)  # noqa: S101  # a PDF is one file, whatever the library's union says
        return made
