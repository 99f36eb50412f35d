import inspect
import pickle

from hanzi_core import errors


def test_the_tree_in_the_docstring_is_the_tree_in_the_code() -> None:
    classes = {
        name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, errors.HanziError)
    }
    drawn = {
        line.split()[0].lstrip("│├└─")
        for line in errors.__doc__.splitlines()
        if "Error" in line and line.startswith("    ")
    }
    named = {word for line in errors.__doc__.splitlines() for word in line.split() if word.endswith("Error")}
    assert classes <= named | drawn


def test_an_error_crosses_a_process_border_whole() -> None:
    error = pickle.loads(pickle.dumps(errors.ImageError("{name} is empty", name="a.png")))
    assert type(error) is errors.ImageError
    assert str(error) == "a.png is empty"
