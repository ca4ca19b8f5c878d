#!/usr/bin/env python3
# test_house.py - proves that each check of house.py can fail: a good tree passes, every bad one is named.
# SPDX-License-Identifier: GPL-2.0-or-later
import contextlib
import io
import json
import os
import subprocess
import tempfile
import types
import unittest
from pathlib import Path

import house

CC = os.environ.get("CC", "cc")
HEAD = "/* x - y.\n *\n * SPDX-License-Identifier: GPL-2.0-or-later\n */\n"

GOOD = {
    "CMakeLists.txt": "# SPDX-License-Identifier: GPL-2.0-or-later\n",
    "core/keptalive.h": HEAD + "#include <stdint.h>\nint64_t ka_one(void);\n",
    "core/field.h": HEAD + '#include "keptalive.h"\n',
    "core/field.c": HEAD + '#include "field.h"\n#include <string.h>\n#include <stdio.h>\n'
                           "/* time(NULL) and #include <time.h> in a comment are no call */\n"
                           "int64_t ka_one(void)\n{\n    char out[9];\n"
                           '    snprintf(out, sizeof out, "%d", (int)sizeof out);\n'
                           "    return (int64_t)strlen(out);\n}\n",
    "pcap-tool/memory.h": HEAD + '#include "keptalive.h"\n',
    "pcap-tool/main.c": HEAD + '#include "memory.h"\n#include "capture/capture.h"\n#include "stream/stream.h"\n',
    "pcap-tool/capture/capture.h": HEAD + "struct capture;\n",
    "pcap-tool/capture/file.c": HEAD + '#include "capture/capture.h"\n#include <pcap/pcap.h>\n'
                                       "int f(pcap_t *p)\n{\n    return pcap_datalink(p);\n}\n",
    "pcap-tool/packet/packet.h": HEAD + '#include "keptalive.h"\n/* as pcap_datalink() gives it */\n',
    "pcap-tool/stream/stream.h": HEAD + '#include "keptalive.h"\n#include "packet/packet.h"\n',
    "pcap-tool/stream/http.c": HEAD + '#include "stream.h"\n#include <llhttp.h>\n',
    "pcap-tool/report/report.h": HEAD + '#include "keptalive.h"\n',
    "tests/run": "#!/bin/sh\n# SPDX-License-Identifier: GPL-2.0-or-later\n",
    "samples/one/README.md": "no licence line needed\n",
}


class House(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.tree = Path(holder.name).resolve()
        for name, text in GOOD.items():
            self.write(name, text)
        self.options = types.SimpleNamespace(build=str(self.tree), core=[str(self.tree / "core.o")])
        command = f"{CC} -std=c11 -Wall -I{self.tree}/core -I{self.tree}/pcap-tool"
        commands = [{"file": str(self.tree / name), "command": f"{command} -o x.o -c {name}", "directory": "/"}
                    for name in ("core/field.c", "pcap-tool/main.c")]
        self.write("compile_commands.json", json.dumps(commands))

    def write(self, name, text):
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def compile_core(self, source):
        subprocess.run([CC, "-std=gnu11", "-w", "-c", "-x", "c", "-", "-o", self.options.core[0], "-I",
                        str(self.tree / "core")], input=source, text=True, check=True)

    def problems(self, check):
        self.listed = io.StringIO()
        with contextlib.redirect_stdout(self.listed):
            return house.CHECKS[check](self.tree, self.options)

    def assert_named(self, check, *texts):
        problems = self.problems(check)
        for text in texts:
            self.assertTrue(any(text in problem for problem in problems), f"{text!r} not in {problems}")
        self.assertEqual(len(problems), len(texts), problems)

    def test_a_good_tree_passes_every_check(self):
        self.compile_core(GOOD["core/field.c"])
        for check in house.CHECKS:
            with self.subTest(check):
                self.assertEqual(self.problems(check), [])

    def test_header_that_needs_another_one_first(self):
        self.write("core/lonely.h", HEAD + "uint32_t nothing_declares_this;\n")
        self.write("pcap-tool/capture/lonely.h", HEAD + "size_t neither_this(void);\n")
        self.assert_named("headers", "core/lonely.h", "pcap-tool/capture/lonely.h")

    def test_header_that_warns(self):
        self.write("core/warns.h", HEAD + "static int unused(void)\n{\n}\n")
        self.assert_named("headers", "core/warns.h")

    def test_header_of_a_room_that_is_not_built_is_left_out_and_told(self):
        self.write("plugin/later.h", HEAD + "#include <no-such-header.h>\n")
        self.assertEqual(self.problems("headers"), [])
        self.assertIn("plugin/later.h", self.listed.getvalue())

    def test_core_includes_more_than_libc(self):
        for number, name in enumerate(["time.h", "unistd.h", "fcntl.h", "ctype.h", "pcap/pcap.h", "glib.h"]):
            self.write(f"core/bad{number}.c", HEAD + f"#  include <{name}>\n")
        self.assert_named("core_includes", "<time.h>", "<unistd.h>", "<fcntl.h>", "<ctype.h>", "<pcap/pcap.h>",
                          "<glib.h>")

    def test_core_includes_a_room_above_it(self):
        self.write("core/bad.c", HEAD + '#include "../pcap-tool/memory.h"\n#include "stream/stream.h"\n')
        self.assert_named("core_includes", "memory.h", "stream.h")

    def test_core_calls_what_it_must_not(self):
        for call in ("time", "clock_gettime", "gettimeofday", "localtime", "printf", "puts", "fopen", "write",
                     "open", "malloc", "realloc", "free", "getenv", "pcap_next_ex", "g_malloc", "proto_tree_add_item",
                     "strtod", "setlocale", "exit"):
            with self.subTest(call):
                self.compile_core(f"extern long {call}();\nlong ka_bad(void) {{ return {call}(0); }}\n")
                self.assert_named("core_symbols", f"calls {call}")

    def test_core_reads_a_global_of_another(self):
        self.compile_core("extern int errors_elsewhere;\nint ka_bad(void) { return errors_elsewhere; }\n")
        self.assert_named("core_symbols", "errors_elsewhere")

    def test_core_without_symbols(self):
        self.compile_core("")
        self.assert_named("core_symbols", "defines nothing")

    def test_arrows_that_point_up_or_sideways(self):
        for room, target in [("capture", "packet/packet.h"), ("capture", "stream/stream.h"),
                             ("capture", "report/report.h"), ("capture", "field.h"),
                             ("packet", "capture/capture.h"), ("packet", "stream/stream.h"), ("packet", "field.h"),
                             ("packet", "memory.h"), ("stream", "capture/capture.h"), ("stream", "report/report.h"),
                             ("stream", "field.h"), ("report", "stream/stream.h"), ("report", "packet/packet.h"),
                             ("report", "capture/capture.h"), ("report", "field.h"),
                             ("packet", "../capture/capture.h")]:
            with self.subTest(room=room, target=target):
                path = self.tree / f"pcap-tool/{room}/bad.c"
                path.write_text(HEAD + f'#include "{target}"\n')
                self.assert_named("rooms", f"pcap-tool/{room} must not include")
                path.unlink()

    def test_a_library_named_outside_its_room(self):
        self.write("pcap-tool/bad.c", HEAD + "#include <pcap.h>\nint f(void)\n{\n    return pcap_close (0);\n}\n")
        self.write("pcap-tool/packet/bad.c", HEAD + "#include <llhttp.h>\nint x = llhttp_execute(0);\n")
        self.write("pcap-tool/stream/bad.h", HEAD + "#include <glib.h>\n#include <epan/packet.h>\n")
        self.assert_named("rooms", "<pcap.h>", "pcap_close", "<llhttp.h>", "llhttp_execute", "<glib.h>",
                          "<epan/packet.h>")

    def test_comments_are_blanked_and_strings_are_not(self):
        text = 'a("http://x"); // b\n/* c\n */ d(\'"\'); /* e */ f("/*");\n'
        self.assertEqual(house.without_comments(text), 'a("http://x");  \n\n  d(\'"\');   f("/*");\n')

    def test_source_without_licence(self):
        self.write("core/bad.c", "int x;\n")
        self.write("tests/golden/bad.py", "pass\n")
        self.write("tests/bad", "#!/bin/sh\n")
        self.write("CMakeLists.txt", "\n" * 10 + "# " + house.SPDX)
        self.assert_named("spdx", "core/bad.c", "tests/golden/bad.py", "tests/bad", "CMakeLists.txt")

    def test_sizes(self):
        self.write("core/long.c", "int x;\n" * 501)
        self.write("core/longish.c", "int x;\n" * 401)
        self.write("tests/unit/test_long.c", "typedef int (*f)(void);\nstatic void g(void)\n{\n" + "    x();\n" * 61 + "}\n")
        self.assert_named("sizes", "core/long.c: 501 lines")
        self.assertIn("core/longish.c: 401 lines", self.listed.getvalue())
        self.assertIn("test_long.c:3: g has 61 lines", self.listed.getvalue())

    def test_the_command_fails_with_its_check(self):
        command = ["python3", house.__file__, "spdx", "--tree", str(self.tree)]
        self.assertEqual(subprocess.run(command).returncode, 0)
        self.write("core/bad.c", "int x;\n")
        run = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stdout.count("core/bad.c")), (1, 1))


if __name__ == "__main__":
    unittest.main()
