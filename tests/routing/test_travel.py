import numpy as np
import pytest
from geopy.distance import great_circle
from hypothesis import given
from hypothesis import strategies as st

from routing.problem import build_problem, is_located
from routing.travel import TravelModel, great_circle_m
from tests.routing.builders import HOME, east, technician, visit

points = st.lists(st.tuples(st.floats(-89, 89), st.floats(-179, 179)), min_size=1, max_size=8)


@given(points)
def test_distances_equal_geopys_great_circle_within_a_metre(places):
    ours = great_circle_m(places)
    for i, a in enumerate(places):
        for j, b in enumerate(places):
            assert ours[i, j] == pytest.approx(great_circle(a, b).meters, abs=1.0)


@given(points)
def test_travel_is_symmetric_whole_and_zero_at_home(places):
    seconds, metres = TravelModel().matrix(places)
    assert seconds.dtype == metres.dtype == np.int64
    assert (seconds == seconds.T).all()
    assert not np.diag(seconds).any()
    assert not np.diag(metres).any()


def test_speed_road_factor_and_parking_add_up():
    # 30 km as the crow flies × 1.5 = 45 km of road; at 45 km/h one hour, and two minutes to park.
    model = TravelModel(road_factor=1.5, speed_kmh=45.0, parking_s=120)
    seconds, metres = model.matrix([HOME, east(30)])
    assert seconds[0, 1] == pytest.approx(3600 + 120, abs=1)
    assert metres[0, 1] == pytest.approx(45_000, abs=1)


def test_nonsense_speed_is_refused():
    with pytest.raises(ValueError, match="road factor"):
        TravelModel(speed_kmh=0)


@pytest.mark.parametrize("point", [None, (0.0, 0.0), (91.0, 0.0), (10.0, 200.0)])
def test_unknown_zero_and_impossible_coordinates_are_no_place(point):
    assert not is_located(point)


def test_each_place_is_counted_once():
    built = build_problem([visit("a", 10), visit("b", 10)], [technician()])
    assert built.places == (HOME, east(10))
