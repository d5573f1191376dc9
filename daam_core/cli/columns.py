"""Options on which columns of a table are read."""

import argparse
from typing import TYPE_CHECKING

from daam_core.cli.named import names_in

if TYPE_CHECKING:
    from daam_core.training.data import TableColumns

#: Delimiters by what a command line can hold.
DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}


def add_column_arguments(group: argparse._ActionsContainer) -> None:
    """Which columns of a table hold inputs and labels."""
    group.add_argument("--input-column", metavar="NAME[,NAME…]", help="column of paths, or columns of texts")
    group.add_argument(
        "--label-column",
        metavar="NAME[,NAME…]",
        help="column of class names; several: columns of 0 and 1, one for each class",
    )
    group.add_argument(
        "--label-separator",
        metavar="SIGN",
        help="between labels in that column, where an input may have several: | ; (lists are read as such)",
    )


def table_columns(arguments: argparse.Namespace) -> "TableColumns":
    """Which columns of a table the options name."""
    from daam_core.training.data import TableColumns

    labels, separator = names_in(arguments.label_column), arguments.label_separator
    return TableColumns(
        names_in(arguments.input_column),
        labels[0] if len(labels) == 1 else None,
        getattr(arguments, "group_column", None),
        DELIMITERS.get(separator, separator),
        labels if len(labels) > 1 else (),
    )
