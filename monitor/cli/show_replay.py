"""The outcome of a replay as text: terms, and figures side by side."""

from monitor.replay.contest import Contest, figures
from monitor.replay.figure_words import spelled, terms_of

_TITLE = 36


def show_replay(contest: Contest) -> None:
    """Prints a line per figure, a column per contender and one for what is ideal."""
    for line in terms_of(contest):
        print(line)
    print()
    labels = [run.label for run in contest.runs]
    width = max(12, *(len(label) for label in labels)) + 2
    heads = "".join(f"{label:>{width}}" for label in [*labels, "ideal"])
    print(f"{'':{_TITLE}}{heads}")
    for figure in figures(contest):
        cells = [spelled(figure, value) for value in figure.values]
        cells.append("" if figure.ideal is None else spelled(figure, figure.ideal))
        print(f"{figure.title:{_TITLE}}{''.join(f'{cell:>{width}}' for cell in cells)}")
