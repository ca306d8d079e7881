/* A table: what is taken is as wide as its first line in every row, within its columns' ranges; written anew, it is
 * read as the same; and while it grows, all that is taken when it is whole is taken, too. */
#include "fuzz.h"

#include <math.h>

#include "base/number.h"
#include "plot/run.h"

static const char *read_run(struct rs_run *run, const uint8_t *data, size_t size, bool growing)
{
    FILE *stream = fuzz_stream(data, size);
    *run = rs_run_of("x");
    const char *error = rs_run_read(run, stream, growing);
    fclose(stream);
    return error;
}

static void write_table(const struct rs_table *table, FILE *out)
{
    fprintf(out, "%s\n", table->header);
    for (size_t i = 0; i < table->rows; i++)
        for (int c = 0; c < table->columns; c++) {
            char text[32] = "NA";
            if (!isnan(rs_table_at(table, i, c)))
                rs_print_real(rs_table_at(table, i, c), text);
            fprintf(out, "%s%c", text, c + 1 < table->columns ? '\t' : '\n');
        }
}

static void check_same(const struct rs_table *a, const struct rs_table *b)
{
    must(a->columns == b->columns && a->rows == b->rows);
    for (size_t i = 0; i < a->rows; i++)
        for (int c = 0; c < a->columns; c++) {
            double x = rs_table_at(a, i, c), y = rs_table_at(b, i, c);
            must(x == y || (isnan(x) && isnan(y)));
        }
}

static void check_whole(const struct rs_run *run, const uint8_t *data, size_t size)
{
    struct rs_run again;
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    must(out && run->table.rows > 0);
    write_table(&run->table, out);
    fclose(out);
    must(!read_run(&again, (uint8_t *)text, length, false));
    must(again.kind == run->kind);
    check_same(&run->table, &again.table);
    rs_run_free(&again);
    must(!read_run(&again, data, size, true));
    check_same(&run->table, &again.table);
    rs_run_free(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rs_run run;
    if (!read_run(&run, data, size, false))
        check_whole(&run, data, size);
    rs_run_free(&run);
    read_run(&run, data, size, true);
    rs_run_free(&run);
    return 0;
}
