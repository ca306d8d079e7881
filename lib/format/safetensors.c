#include "format/safetensors.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/control.h"
#include "base/error.h"
#include "base/memory.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "arrays are written as they stand in memory: little endian"
#endif

enum { MAX_HEADER = 1 << 20 };

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {[RS_F32] = {"F32", 4}, [RS_U8] = {"U8", 1}, [RS_I64] = {"I64", 8}};

static struct rs_meta_pair *find_pair(const struct rs_meta *meta, const char *key)
{
    for (int i = 0; i < meta->count; i++)
        if (!strcmp(meta->pairs[i].key, key))
            return &meta->pairs[i];
    return NULL;
}

/* Behind all others. A header of 1 MiB holds tens of thousands of keys: where they are known to differ, none is
 * looked for. */
static void add_pair(struct rs_meta *meta, const char *key, const char *text)
{
    meta->pairs = rs_grow(meta->pairs, (size_t)meta->count, sizeof *meta->pairs);
    meta->pairs[meta->count++] = (struct rs_meta_pair){rs_strdup(key), rs_strdup(text)};
}

static void set_text(struct rs_meta *meta, const char *key, const char *text)
{
    struct rs_meta_pair *pair = find_pair(meta, key);
    if (!pair) {
        add_pair(meta, key, text);
        return;
    }
    free(pair->value);
    pair->value = rs_strdup(text);
}

void rs_meta_set(struct rs_meta *meta, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = rs_alloc((size_t)length + 1, 1);
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    set_text(meta, key, text);
    free(text);
}

const char *rs_meta_get(const struct rs_meta *meta, const char *key)
{
    const struct rs_meta_pair *pair = find_pair(meta, key);
    return pair ? pair->value : NULL;
}

void rs_meta_copy(struct rs_meta *to, const struct rs_meta *from)
{
    void (*put)(struct rs_meta *, const char *, const char *) = to->count ? set_text : add_pair;
    for (int i = 0; i < from->count; i++)
        put(to, from->pairs[i].key, from->pairs[i].value);
}

const char *rs_meta_differ(const struct rs_meta *a, const struct rs_meta *b)
{
    for (int i = 0; i < a->count && i < b->count; i++) {
        const struct rs_meta_pair *p = &a->pairs[i], *q = &b->pairs[i];
        if (strcmp(p->key, q->key))
            return rs_error("metadata '%s' stands where '%s' stood", q->key, p->key);
        if (strcmp(p->value, q->value))
            return rs_error("metadata '%s' is '%s', it was '%s'", p->key, q->value, p->value);
    }
    return a->count == b->count ? NULL : rs_error("%d metadata, there were %d", b->count, a->count);
}

void rs_meta_free(struct rs_meta *meta)
{
    for (int i = 0; i < meta->count; i++) {
        free(meta->pairs[i].key);
        free(meta->pairs[i].value);
    }
    free(meta->pairs);
    *meta = (struct rs_meta){0};
}

const struct rs_array *rs_record_find(const struct rs_record *record, const char *name)
{
    for (int i = 0; i < record->count; i++)
        if (!strcmp(record->arrays[i].name, name))
            return &record->arrays[i];
    return NULL;
}

const char *rs_record_match(const struct rs_record *record, const struct rs_record *wanted, const char *whose)
{
    for (int i = 0; i < wanted->count; i++) {
        const struct rs_array *want = &wanted->arrays[i], *have = rs_record_find(record, want->name);
        if (!have)
            return rs_error("no array '%s'", want->name);
        if (have->dtype != want->dtype || have->rank != want->rank ||
            memcmp(have->shape, want->shape, (size_t)want->rank * sizeof *want->shape) != 0)
            return rs_error("array '%s' has not the type and shape of %s", want->name, whose);
    }
    return record->count == wanted->count
               ? NULL
               : rs_error("%d arrays, where %s has %d", record->count, whose, wanted->count);
}

void rs_record_free(struct rs_record *record)
{
    for (int i = 0; i < record->count; i++)
        free(record->arrays[i].name);
    free(record->arrays);
    rs_meta_free(&record->meta);
    *record = (struct rs_record){0};
}

static struct rs_array *append(struct rs_record *record, const char *name)
{
    record->arrays = rs_grow(record->arrays, (size_t)record->count, sizeof *record->arrays);
    struct rs_array *array = &record->arrays[record->count++];
    *array = (struct rs_array){.name = rs_strdup(name)};
    return array;
}

/* False if the product does not fit. */
static bool array_bytes(struct rs_array *array)
{
    array->bytes = dtypes[array->dtype].size;
    for (int i = 0; i < array->rank; i++)
        if (__builtin_mul_overflow(array->bytes, (size_t)array->shape[i], &array->bytes))
            return false;
    return true;
}

void rs_record_add(struct rs_record *record, const char *name, enum rs_dtype dtype, int rank,
                   const int64_t *shape)
{
    struct rs_array *array = append(record, name);
    array->dtype = dtype;
    array->rank = rank;
    memcpy(array->shape, shape, (size_t)rank * sizeof *shape);
    array_bytes(array);
    array->offset = record->bytes;
    record->bytes += array->bytes;
}

/* jansson's memory runs out as ours does, with a message: no object of it is ever half made. */
static void *take(size_t size)
{
    return rs_alloc(size, 1);
}

static void start_jansson(void)
{
    json_set_alloc_funcs(take, free);
}

/* False for NULL, which is what an object or a list gives for what it does not hold. */
static bool is(const json_t *value, json_type type)
{
    return value && json_typeof(value) == type;
}

static const char *parse_meta(json_t *object, struct rs_meta *meta)
{
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        const char *key = json_object_iter_key(at), *text = json_string_value(json_object_iter_value(at));
        if (!text)
            return rs_error("metadata '%s' is not a string", key);
        add_pair(meta, key, text);
    }
    return is(object, JSON_OBJECT) ? NULL : rs_error("__metadata__ is not an object");
}

static const char *parse_dtype(json_t *value, enum rs_dtype *dtype)
{
    const char *name = json_string_value(value);
    for (size_t i = 0; name && i < sizeof dtypes / sizeof *dtypes; i++)
        if (!strcmp(dtypes[i].name, name)) {
            *dtype = (enum rs_dtype)i;
            return NULL;
        }
    return rs_error("dtype %s is not F32, U8 or I64", name ? name : "missing or no string, which");
}

static const char *parse_shape(json_t *value, struct rs_array *array)
{
    size_t rank = json_array_size(value);
    if (!is(value, JSON_ARRAY) || rank > RS_MAX_RANK)
        return rs_error("shape is not a list of at most %d numbers", RS_MAX_RANK);
    array->rank = (int)rank;
    for (size_t i = 0; i < rank; i++) {
        json_t *size = json_array_get(value, i);
        array->shape[i] = json_integer_value(size);
        if (!is(size, JSON_INTEGER) || array->shape[i] < 0)
            return rs_error("shape has an entry that is no size");
    }
    return array_bytes(array) ? NULL : rs_error("shape is too large");
}

/* Arrays must follow each other: `at` is where the ones before it end. */
static const char *parse_offsets(json_t *value, struct rs_array *array)
{
    json_t *begin = json_array_get(value, 0), *end = json_array_get(value, 1);
    if (json_array_size(value) != 2 || !is(begin, JSON_INTEGER) || !is(end, JSON_INTEGER))
        return rs_error("data_offsets are not two numbers");
    json_int_t from = json_integer_value(begin), to = json_integer_value(end);
    if (from < 0 || to < from || (size_t)(to - from) != array->bytes)
        return rs_error("data_offsets do not fit its shape");
    array->offset = (size_t)from;
    return NULL;
}

static const char *parse_array(struct rs_record *record, const char *name, json_t *value)
{
    if (!is(value, JSON_OBJECT) || json_object_size(value) != 3)
        return rs_error("is not an object of dtype, shape and data_offsets");
    struct rs_array *array = append(record, name);
    const char *error = parse_dtype(json_object_get(value, "dtype"), &array->dtype);
    if (!error)
        error = parse_shape(json_object_get(value, "shape"), array);
    if (!error)
        error = parse_offsets(json_object_get(value, "data_offsets"), array);
    return error;
}

static int by_offset(const void *a, const void *b)
{
    const struct rs_array *p = a, *q = b;
    if (p->offset != q->offset)
        return p->offset < q->offset ? -1 : 1;
    return (p->bytes > q->bytes) - (p->bytes < q->bytes);
}

static const char *check_layout(struct rs_record *record)
{
    if (record->count)
        qsort(record->arrays, (size_t)record->count, sizeof *record->arrays, by_offset);
    for (int i = 0; i < record->count; i++) {
        const struct rs_array *array = &record->arrays[i];
        if (array->offset != record->bytes)
            return rs_error("array '%s' overlaps another or leaves a hole", array->name);
        record->bytes += array->bytes; /* its end, which data_offsets say in 63 bits */
    }
    return NULL;
}

static const char *parse_object(struct rs_record *record, json_t *root)
{
    for (void *at = json_object_iter(root); at; at = json_object_iter_next(root, at)) {
        const char *error, *key = json_object_iter_key(at);
        json_t *value = json_object_iter_value(at);
        if (!strcmp(key, "__metadata__"))
            error = parse_meta(value, &record->meta);
        else
            error = rs_error_at(key, parse_array(record, key, value));
        if (error)
            return error;
    }
    return is(root, JSON_OBJECT) ? check_layout(record) : rs_error("a header that is not a JSON object");
}

static const char *parse_header(struct rs_record *record, const char *text, size_t size)
{
    *record = (struct rs_record){0};
    json_error_t why;
    start_jansson();
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    const char *error =
        root ? parse_object(record, root) : rs_error("a header that is not JSON: %s", why.text);
    json_decref(root);
    if (error)
        rs_record_free(record);
    return error;
}

static const char *header_length(const unsigned char raw[8], size_t *length)
{
    uint64_t value;
    memcpy(&value, raw, sizeof value);
    if (value < 2 || value > MAX_HEADER)
        return rs_error("not a safetensors record (a header of %ju bytes)", (uintmax_t)value);
    *length = (size_t)value;
    return NULL;
}

const char *rs_record_parse(struct rs_record *record, const unsigned char *data, size_t size, size_t *header)
{
    size_t length = 0;
    if (size < 8)
        return rs_error("ends in the middle of a header");
    const char *error = header_length(data, &length);
    if (!error && length > size - 8)
        error = rs_error("ends in the middle of a header");
    if (!error)
        error = parse_header(record, (const char *)data + 8, length);
    if (error)
        return error;
    *header = 8 + length;
    if (record->bytes > size - *header) {
        rs_record_free(record);
        return rs_error("ends in the middle of its data");
    }
    return NULL;
}

const char *rs_record_read(FILE *stream, struct rs_record *record, bool *more)
{
    unsigned char raw[8];
    size_t length = 0, got = fread(raw, 1, sizeof raw, stream);
    *more = got > 0;
    if (ferror(stream))
        return rs_error("cannot read: %s", strerror(errno));
    if (got == 0)
        return NULL;
    if (got < sizeof raw)
        return rs_error("ends in the middle of a header");
    const char *error = header_length(raw, &length);
    if (error)
        return error;
    char *text = rs_alloc(length, 1);
    if (fread(text, 1, length, stream) < length)
        error = ferror(stream) ? rs_error("cannot read: %s", strerror(errno))
                               : rs_error("ends in the middle of a header");
    else
        error = parse_header(record, text, length);
    free(text);
    return error;
}

static json_t *array_object(const struct rs_array *array)
{
    json_t *shape = json_array();
    for (int i = 0; i < array->rank; i++)
        json_array_append_new(shape, json_integer(array->shape[i]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtypes[array->dtype].name, "shape", shape,
                     "data_offsets", (json_int_t)array->offset, (json_int_t)(array->offset + array->bytes));
}

const char *rs_meta_check(const char *text)
{
    for (const char *at = text; *at; at++)
        if (rs_control_bytes(at))
            return rs_error("a control character");
    start_jansson();
    json_t *string = json_string(text);
    json_decref(string);
    return string ? NULL : rs_error("not UTF-8");
}

/* NULL if a text is not UTF-8. */
static char *header_text(const struct rs_record *record)
{
    start_jansson();
    json_t *root = json_object(), *meta = json_object();
    int failed = 0;
    for (int i = 0; i < record->meta.count; i++)
        failed |=
            json_object_set_new(meta, record->meta.pairs[i].key, json_string(record->meta.pairs[i].value));
    json_object_set_new(root, "__metadata__", meta);
    for (int i = 0; i < record->count; i++)
        failed |= json_object_set_new(root, record->arrays[i].name, array_object(&record->arrays[i]));
    char *text = failed ? NULL : json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}

const char *rs_record_write(FILE *stream, const struct rs_record *record)
{
    char *text = header_text(record);
    if (!text)
        return rs_error("metadata that is not UTF-8");
    uint64_t length = strlen(text), padded = (length + 7) / 8 * 8;
    errno = 0;
    bool written =
        fwrite(&padded, 8, 1, stream) == 1 && fprintf(stream, "%-*s", (int)padded, text) == (int)padded;
    free(text);
    return written ? NULL : rs_error_write(errno);
}
