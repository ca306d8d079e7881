/* Tables of numbers: TSV, a line of names and then rows of as many cells, each a decimal number or NA. */
#ifndef RS_FORMAT_TABLE_H
#define RS_FORMAT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { RS_TABLE_COLUMNS = 64, RS_TABLE_LINE = 4096, RS_TABLE_ROWS = 1 << 22 }; /* more is refused */

struct rs_table {
    char header[RS_TABLE_LINE]; /* the first line, without its end */
    int columns;
    size_t rows, capacity;
    double *values; /* [rows][columns], NaN for NA; owned */
};

/* What a column may hold; one that is not named, any finite number. */
struct rs_table_range {
    const char *name;
    double low, high;
};

/* Reads the first line into a table of {0}, which tells the columns. The last line of a table has to end
 * as the others do, unless the table is `growing`: then what there is of it is left out, and a table that
 * has no first line yet has no columns. Errors name line and column. */
const char *rs_table_read_header(struct rs_table *table, FILE *stream, bool growing);

/* Then all rows; `ranges` ends with a NULL name. */
const char *rs_table_read_rows(struct rs_table *table, FILE *stream, const struct rs_table_range *ranges,
                               bool growing);

int rs_table_column(const struct rs_table *table, const char *name); /* the first of that name, or -1 */

double rs_table_at(const struct rs_table *table, size_t row, int column);

void rs_table_free(struct rs_table *table);

#endif
