/* run_corpus.c - gives files to a fuzz target once, where there is no fuzzer: a plain regression test.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "judge.h"

#include <stdlib.h>

enum { FILE_BYTES_MAX = 1 << 20 };

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        uint8_t *room = malloc(FILE_BYTES_MAX);
        if (file == NULL || room == NULL) {
            perror(argv[i]);
            return EXIT_FAILURE;
        }
        size_t len_bytes = fread(room, 1, FILE_BYTES_MAX, file);
        fclose(file);
        uint8_t *bytes = realloc(room, len_bytes > 0 ? len_bytes : 1); /* so that a sanitizer sees its end */
        puts(argv[i]);
        LLVMFuzzerTestOneInput(bytes, len_bytes);
        free(bytes);
    }
    return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
