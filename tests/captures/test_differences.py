#!/usr/bin/env python3
# test_differences.py - can the comparison with tshark fail?
# SPDX-License-Identifier: GPL-2.0-or-later
import unittest
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

PATH = Path(__file__).resolve().parent / "differences"
loader = SourceFileLoader("differences", str(PATH))
differences = module_from_spec(spec_from_loader("differences", loader))
loader.exec_module(differences)


class Differences(unittest.TestCase):
    def test_counts_of_tshark(self):
        output = "0\t1\t\t\n0\t\t1,1\t100,200\n0\t1,1\t\t\n3,7\t\t1\t\n\t1\t\t\n"
        self.assertEqual(differences.counts_of_tshark(output), {0: (3, 1), 7: (0, 1)})

    def test_compare(self):
        self.assertEqual(differences.compare({0: (1, 1), 1: (0, 0)}, {0: (1, 1)}), [])
        self.assertEqual(differences.compare({0: (2, 1)}, {1: (0, 1)}), [(0, (2, 1), (0, 0)), (1, (0, 0), (0, 1))])

    def test_judge(self):
        found = {"a": [(0, (1, 1), (1, 0))], "b": []}
        self.assertEqual(differences.judge(found, {("a", "0"): "why"}, {"a", "b"}), [])
        self.assertEqual(differences.judge(found, {("a", "*"): "why", ("c", "*"): "not here"}, {"a", "b"}), [])
        self.assertEqual(len(differences.judge(found, {}, {"a", "b"})), 1)
        self.assertEqual(len(differences.judge(found, {("a", "*"): "why", ("b", "3"): "why"}, {"a", "b"})), 1)

    def test_list(self):
        self.assertEqual(differences.read_list("# x\na\t3\twhy\n"), {("a", "3"): "why"})
        for wrong in ("a\t3\n", "a\tx\twhy\n", "a\t3\t \n"):
            self.assertRaises(ValueError, differences.read_list, wrong)
        self.assertTrue(differences.read_list(differences.LIST.read_text(encoding="utf-8")))


if __name__ == "__main__":
    unittest.main()
