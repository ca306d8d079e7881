/* safetensors: named arrays with a JSON header, whole in a file or record after record in a stream.
 *
 * A record is 8 bytes of header length (little endian), a JSON header, the arrays' bytes. Read strictly: no
 * duplicate keys, no unknown fields, arrays that follow each other without overlap or hole, sizes that agree
 * with shapes. Written canonically: metadata first, then the arrays in the order they were added, padded with
 * blanks to a multiple of 8. */
#ifndef RS_FORMAT_SAFETENSORS_H
#define RS_FORMAT_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* String metadata in order. */
struct rs_meta {
    struct rs_meta_pair {
        char *key, *value;
    } * pairs;
    int count;
};

/* Sets `key` (replacing its value, or behind all others) to the text that printf would make. */
void rs_meta_set(struct rs_meta *meta, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
const char *rs_meta_get(const struct rs_meta *meta, const char *key); /* NULL if absent; owned by meta */
/* NULL if `text` is UTF-8, as metadata must be, without control characters: fit for a line of a table. */
const char *rs_meta_check(const char *text);
void rs_meta_copy(struct rs_meta *to, const struct rs_meta *from); /* each pair of `from`, as rs_meta_set */

/* NULL if both hold the same pairs in the same order, else a text that names the first difference. */
const char *rs_meta_differ(const struct rs_meta *a, const struct rs_meta *b);
void rs_meta_free(struct rs_meta *meta);

enum rs_dtype { RS_F32, RS_U8, RS_I64 };

enum { RS_MAX_RANK = 4 };

struct rs_array {
    char *name;
    enum rs_dtype dtype;
    int rank;
    int64_t shape[RS_MAX_RANK]; /* each >= 0 */
    size_t offset, bytes;       /* within the record's data */
};

struct rs_record {
    struct rs_meta meta;
    struct rs_array *arrays; /* by offset */
    int count;
    size_t bytes; /* of the data: the sum over the arrays */
};

const struct rs_array *rs_record_find(const struct rs_record *record, const char *name); /* NULL if absent */

/* NULL if `record` has just the arrays of `wanted`, of their types and shapes, in any order; else a text that names
 * one, and whose they are: "this network". */
const char *rs_record_match(const struct rs_record *record, const struct rs_record *wanted,
                            const char *whose);
void rs_record_free(struct rs_record *record);

/* Adds an array behind the others; its offset follows. */
void rs_record_add(struct rs_record *record, const char *name, enum rs_dtype dtype, int rank,
                   const int64_t *shape);

/* Parses the record that `data`, `size` bytes long, begins with; `*header` is where its data start. The
 * record's own data are inside `size`. */
const char *rs_record_parse(struct rs_record *record, const unsigned char *data, size_t size, size_t *header);

/* Reads length and header from a stream; the record's `bytes` of data are next. `*more` is false, and nothing
 * read, at a clean end. */
const char *rs_record_read(FILE *stream, struct rs_record *record, bool *more);

/* Writes length and header; errors as rs_error_write. The caller writes the data. */
const char *rs_record_write(FILE *stream, const struct rs_record *record);

#endif
