"""The commands of ``python -m daam_core``, one module each.

A command's module offers ``add_arguments(parser)`` and ``run(arguments) -> Output``; the table in
:mod:`daam_core.cli.main` names it. It prints nothing: what it found is its output, and progress goes to
standard error.
"""
