"""All that a statement brings, as a file for other programs."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from ..deadline import Deadline
from ..errors import BadArgument, IndexUnavailable
from ..machine import keep_to_owner
from .engines import made
from .sql import bounded, check, put_cohort
from .store import Store, first_line, text_of


def export(
    store: Store,
    statement: str,
    file: Path,
    deadline: Deadline,
    cohort: Sequence[str] | None = None,
) -> int:
    """Write every row of one SELECT into a Parquet file, which is the owner's only; how many.

    Raises BadArgument, DeadlinePassed and IndexUnavailable (see sql.ask), IndexUnavailable too
    where the file cannot be written.
    """
    file = file.absolute()
    partial = file.with_name(f"{file.name}.partial")
    with closing(made(store, partial)) as engine:
        check(engine, statement, has_cohort=cohort is not None)
        put_cohort(engine, cohort)
        # Without what may follow it, a semicolon or a remark.
        ((bare,),) = engine.execute(
            "SELECT json_deserialize_sql(json_serialize_sql(?))", [statement]
        ).fetchall()
        try:
            with bounded(engine, deadline):
                (count,) = engine.execute(
                    f"COPY ({bare}) TO {text_of(str(partial))}"
                    " (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)"
                ).fetchall()[0]
            keep_to_owner(partial, 0o600)
            partial.replace(file)
        except (OSError, IndexUnavailable) as error:
            raise BadArgument(
                f"{file} could not be written: {first_line(error)}", "Name another file"
            ) from None
        finally:
            partial.unlink(missing_ok=True)
    return count
