"""Door 3, time: `timetable` says what runs when; each entry calls one action."""
