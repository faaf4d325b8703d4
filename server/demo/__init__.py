"""The demo company: two branches on real places, forty technicians, three months behind them and a month ahead."""

from server.demo.load import DemoReport, load_demo

__all__ = ["DemoReport", "load_demo"]
