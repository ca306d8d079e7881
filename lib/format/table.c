#include "format/table.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"

enum line { WHOLE, TORN, END };

/* The next line without its end; `*kind` says whether it had one, or that nothing was left. */
static const char *read_line(FILE *stream, char line[RS_TABLE_LINE], enum line *kind)
{
    size_t length = 0;
    int c;
    errno = 0;
    while ((c = getc(stream)) != EOF && c != '\n') {
        if (!c)
            return rs_error("a zero byte, so that it is no table");
        if (length == RS_TABLE_LINE - 1)
            return rs_error("longer than %d bytes, so that it is no table", RS_TABLE_LINE - 1);
        line[length++] = (char)c;
    }
    if (ferror(stream))
        return rs_error("%s", errno ? strerror(errno) : "cannot be read");
    line[length] = 0;
    *kind = c == '\n' ? WHOLE : length ? TORN : END;
    return NULL;
}

const char *rs_table_read_header(struct rs_table *table, FILE *stream, bool growing)
{
    enum line kind;
    const char *error = read_line(stream, table->header, &kind);
    if (error)
        return rs_error_at("line 1", error);
    if (kind != WHOLE && growing)
        return NULL;
    if (kind != WHOLE)
        return kind == END ? rs_error("empty") : rs_error("line 1: the file ends in the middle of it");
    table->columns = 1;
    for (const char *c = table->header; *c; c++)
        table->columns += *c == '\t';
    return table->columns > RS_TABLE_COLUMNS ? rs_error("more than %d columns", RS_TABLE_COLUMNS) : NULL;
}

/* The name of a column within the header, and its length. */
static const char *name_of(const struct rs_table *table, int column, size_t *length)
{
    const char *name = table->header;
    while (column--)
        name = strchr(name, '\t') + 1;
    *length = strcspn(name, "\t");
    return name;
}

int rs_table_column(const struct rs_table *table, const char *name)
{
    for (int i = 0; i < table->columns; i++) {
        size_t length;
        const char *here = name_of(table, i, &length);
        if (strlen(name) == length && !memcmp(here, name, length))
            return i;
    }
    return -1;
}

static void ranges_of(const struct rs_table *table, const struct rs_table_range *named,
                      struct rs_table_range ranges[RS_TABLE_COLUMNS])
{
    for (int i = 0; i < table->columns; i++)
        ranges[i] = (struct rs_table_range){NULL, -DBL_MAX, DBL_MAX};
    for (; named->name; named++) {
        int column = rs_table_column(table, named->name);
        if (column >= 0)
            ranges[column] = *named;
    }
}

static const char *parse_cell(const char *cell, const struct rs_table_range *range, double *value)
{
    *value = (double)NAN;
    return strcmp(cell, "NA") ? rs_parse_real(cell, range->low, range->high, value) : NULL;
}

static const char *parse_row(const struct rs_table *table, char *line, const struct rs_table_range *ranges,
                             double *row)
{
    for (int i = 0; i < table->columns; i++) {
        char *cell = strsep(&line, "\t");
        if (!cell)
            return rs_error("%d cells of %d", i, table->columns);
        const char *error = parse_cell(cell, &ranges[i], &row[i]);
        if (error) {
            size_t length;
            const char *name = name_of(table, i, &length);
            return rs_error("%.*s: %s", length > 60 ? 60 : (int)length, name, error);
        }
    }
    return line ? rs_error("more than %d cells", table->columns) : NULL;
}

static double *new_row(struct rs_table *table)
{
    size_t columns = (size_t)table->columns;
    if (table->rows == table->capacity) {
        table->capacity = table->capacity ? 2 * table->capacity : 64;
        table->values = rs_realloc(table->values, table->capacity * columns, sizeof *table->values);
    }
    return table->values + table->rows * columns;
}

const char *rs_table_read_rows(struct rs_table *table, FILE *stream, const struct rs_table_range *ranges,
                               bool growing)
{
    char line[RS_TABLE_LINE], where[32];
    struct rs_table_range of[RS_TABLE_COLUMNS];
    ranges_of(table, ranges, of);
    for (;; table->rows++) {
        enum line kind;
        snprintf(where, sizeof where, "line %zu", table->rows + 2);
        const char *error = read_line(stream, line, &kind);
        if (!error && (kind == END || (kind == TORN && growing)))
            return NULL;
        if (!error && kind == TORN)
            error = rs_error("the file ends in the middle of it");
        if (!error && table->rows == RS_TABLE_ROWS)
            error = rs_error("more rows than the %d that are read at most", RS_TABLE_ROWS);
        if (!error)
            error = parse_row(table, line, of, new_row(table));
        if (error)
            return rs_error_at(where, error);
    }
}

double rs_table_at(const struct rs_table *table, size_t row, int column)
{
    return table->values[row * (size_t)table->columns + (size_t)column];
}

void rs_table_free(struct rs_table *table)
{
    free(table->values);
    *table = (struct rs_table){0};
}
