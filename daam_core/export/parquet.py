"""Rows as Parquet, for which a package is needed that not everybody has."""

import io
from collections.abc import Mapping, Sequence

from daam_core.errors import DaamError


def parquet_bytes(rows: Sequence[Mapping[str, object]]) -> bytes:
    """A table of rows, lists and objects as nested columns.

    Raises:
        DaamError: the package pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError as error:
        raise DaamError(
            "Writing Parquet needs the package pyarrow; get it with: pip install 'daam-explorer[study]', or "
            "choose .csv or .jsonl."
        ) from error
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), sink)
    return sink.getvalue()
