"""The package under the book: cohorts, radiomics, training, evaluation and runs of five studies.

For research and teaching. Not for clinical use.
"""

__version__ = "0.1.0"
