#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "format/pam.h"
#include "format/table.h"
#include "format/tensor.h"
#include "tap.h"

/* Bytes, and a stream to write them, which is flushed before they are looked at. Not to be copied: the stream
 * knows where it stands. */
struct output {
    char *data;
    size_t size;
    FILE *stream;
};

static void output_open(struct output *out)
{
    *out = (struct output){0};
    out->stream = open_memstream(&out->data, &out->size);
}

static void output_free(struct output *out)
{
    fclose(out->stream);
    free(out->data);
}

/* A stream that reads `size` bytes. */
static FILE *input_of(const void *data, size_t size)
{
    FILE *stream = tmpfile();
    if (!stream || fwrite(data, 1, size, stream) != size) {
        printf("Bail out! no temporary file\n");
        exit(1);
    }
    rewind(stream);
    return stream;
}

/* Unbuffered, so that the writer sees the failure. */
static FILE *full_device(void)
{
    FILE *stream = fopen("/dev/full", "wb");
    setvbuf(stream, NULL, _IONBF, 0);
    return stream;
}

/* Takes so many bytes and no more, in writes as small as they come. */
static ssize_t take_few(void *cookie, const char *buffer, size_t size)
{
    size_t *room = cookie;
    (void)buffer;
    if (size > *room) {
        errno = ENOSPC;
        return 0;
    }
    *room -= size;
    return (ssize_t)size;
}

static FILE *small_device(size_t *room)
{
    FILE *stream = fopencookie(room, "wb", (cookie_io_functions_t){.write = take_few});
    setvbuf(stream, NULL, _IONBF, 0);
    return stream;
}

static FILE *closed_pipe(void)
{
    int ends[2];
    if (pipe(ends))
        exit(1);
    close(ends[0]);
    FILE *stream = fdopen(ends[1], "wb");
    setvbuf(stream, NULL, _IONBF, 0);
    return stream;
}

/* --- Metadata --- */

static void test_meta(void)
{
    struct rs_meta a = {0}, b = {0};
    rs_meta_set(&a, "one", "%d", 1);
    rs_meta_set(&a, "two", "%s", "second");
    ok(!strcmp(rs_meta_get(&a, "one"), "1") && !rs_meta_get(&a, "on") && !rs_meta_get(&b, "one"),
       "metadata by their key");
    rs_meta_set(&a, "one", "uno");
    ok(a.count == 2 && !strcmp(a.pairs[0].key, "one") && !strcmp(a.pairs[0].value, "uno"),
       "a replaced value keeps its place");
    rs_meta_copy(&b, &a);
    no_error(rs_meta_differ(&a, &b), "a copy is the same");
    ok(b.pairs[1].value != a.pairs[1].value, "and has texts of its own");
    rs_meta_set(&b, "three", "3");
    error_has(rs_meta_differ(&a, &b), "3 metadata, there were 2", "one more");
    error_has(rs_meta_differ(&b, &a), "2 metadata, there were 3", "one less");
    rs_meta_set(&b, "two", "x");
    error_has(rs_meta_differ(&a, &b), "'two' is 'x', it was 'second'", "another value");
    rs_meta_free(&b);
    rs_meta_set(&b, "two", "second");
    rs_meta_set(&b, "one", "uno");
    error_has(rs_meta_differ(&a, &b), "'two' stands where 'one' stood", "another order");
    rs_meta_copy(&a, &b);
    ok(a.count == 2 && !strcmp(a.pairs[0].key, "one"), "copying over what is there keeps its order");
    rs_meta_free(&a);
    rs_meta_free(&b);
    ok(!a.pairs && a.count == 0, "freed");
}

static void test_meta_long(void)
{
    char text[5001];
    struct rs_meta meta = {0};
    memset(text, 'x', 5000);
    text[5000] = 0;
    rs_meta_set(&meta, "long", "%s", text);
    ok(strlen(rs_meta_get(&meta, "long")) == 5000, "a value of 5000 characters is not cut");
    rs_meta_free(&meta);
}

/* --- safetensors --- */

static struct rs_record sample_record(void)
{
    struct rs_record record = {0};
    rs_meta_set(&record.meta, "kind", "test");
    rs_meta_set(&record.meta, "quote", "a \"b\" \\ \303\244");
    rs_record_add(&record, "image", RS_F32, 4, (int64_t[]){1, 2, 1, 3});
    rs_record_add(&record, "empty", RS_U8, 1, (int64_t[]){0});
    rs_record_add(&record, "bytes", RS_U8, 1, (int64_t[]){5});
    rs_record_add(&record, "scalar", RS_I64, 0, (int64_t[]){0});
    return record;
}

static const char canonical[] =
    "\350\0\0\0\0\0\0\0"
    "{\"__metadata__\":{\"kind\":\"test\",\"quote\":\"a \\\"b\\\" \\\\ \303\244\"},"
    "\"image\":{\"dtype\":\"F32\",\"shape\":[1,2,1,3],\"data_offsets\":[0,24]},"
    "\"empty\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[24,24]},"
    "\"bytes\":{\"dtype\":\"U8\",\"shape\":[5],\"data_offsets\":[24,29]},"
    "\"scalar\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[29,37]}}";

/* The written bytes with data behind them. */
static void write_record(struct output *out)
{
    struct rs_record record = sample_record();
    output_open(out);
    no_error(rs_record_write(out->stream, &record), "a record is written");
    for (size_t i = 0; i < record.bytes; i++)
        putc((int)i, out->stream);
    fflush(out->stream);
    rs_record_free(&record);
}

static void test_canonical(void)
{
    struct output out;
    size_t length = sizeof canonical - 1, header = 0;
    write_record(&out);
    memcpy(&header, out.data, 8);
    ok(header % 8 == 0 && header + 8 >= length && header + 8 < length + 8 && out.size == 8 + header + 37,
       "the header's length is the next multiple of 8");
    ok(!memcmp(out.data + 8, canonical + 8, length - 8),
       "metadata, then arrays in their order, without blanks");
    ok(strspn(out.data + length, " ") == 8 + header - length, "padded with blanks");
    output_free(&out);
}

static bool same_array(const struct rs_array *a, const struct rs_array *b)
{
    return !strcmp(a->name, b->name) && a->dtype == b->dtype && a->rank == b->rank &&
           a->offset == b->offset && a->bytes == b->bytes &&
           !memcmp(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape);
}

static bool same_record(const struct rs_record *a, const struct rs_record *b)
{
    bool same = a->count == b->count && a->bytes == b->bytes && !rs_meta_differ(&a->meta, &b->meta);
    for (int i = 0; same && i < a->count; i++)
        same = same_array(&a->arrays[i], &b->arrays[i]);
    return same;
}

static void test_round_trip(void)
{
    struct output out, again;
    struct rs_record wanted = sample_record(), parsed = {0}, read = {0};
    size_t header = 0;
    bool more = false;
    write_record(&out);
    no_error(rs_record_parse(&parsed, (unsigned char *)out.data, out.size, &header), "it is parsed");
    ok(same_record(&wanted, &parsed) && header + 37 == out.size, "and is what it was");
    const struct rs_array *bytes = rs_record_find(&parsed, "bytes");
    ok(bytes && bytes->offset == 24 && out.data[header + bytes->offset] == 24,
       "an array is found by its name");
    ok(!rs_record_find(&parsed, "byte"), "or not");
    FILE *stream = input_of(out.data, out.size);
    no_error(rs_record_read(stream, &read, &more), "it is read from a stream");
    ok(more && same_record(&wanted, &read) && ftell(stream) == (long)header, "and the data are next");
    output_open(&again);
    rs_record_write(again.stream, &parsed);
    fflush(again.stream);
    ok(again.size == header && !memcmp(again.data, out.data, header), "written once more, the same bytes");
    fclose(stream);
    rs_record_free(&wanted);
    rs_record_free(&parsed);
    rs_record_free(&read);
    output_free(&out);
    output_free(&again);
}

static void test_records_end_to_end(void)
{
    struct output out;
    write_record(&out);
    char *twice = rs_alloc(2, out.size);
    memcpy(twice, out.data, out.size);
    memcpy(twice + out.size, out.data, out.size);
    FILE *stream = input_of(twice, 2 * out.size);
    int count = 0;
    for (bool more = true;; count++) {
        struct rs_record record = {0};
        if (rs_record_read(stream, &record, &more) || !more)
            break;
        fseek(stream, (long)record.bytes, SEEK_CUR);
        rs_record_free(&record);
    }
    ok(count == 2 && feof(stream) && !ferror(stream), "two records end to end, then a clean end");
    fclose(stream);
    free(twice);
    output_free(&out);
}

/* Every cut is an error, except that a stream may end before its first byte, and that from a stream the
 * header is read without its data. Memory is cut to size, so that a checker of memory sees what is read
 * behind it. */
static void test_cut_record(void)
{
    struct output out;
    size_t header = 0, bad = 0;
    write_record(&out);
    memcpy(&header, out.data, 8);
    header += 8;
    for (size_t size = 0; size < out.size; size++) {
        struct rs_record record = {0};
        size_t at;
        unsigned char *cut = rs_alloc(size, 1);
        memcpy(cut, out.data, size);
        const char *error = rs_record_parse(&record, cut, size, &at);
        bad += !error || !strstr(error, "ends in the middle of") || record.arrays || record.meta.pairs;
        free(cut);
    }
    ok(bad == 0, "cut at each of its %zu bytes, a record in memory is an error", out.size);
    bad = 0;
    for (size_t size = 0; size < header; size++) {
        struct rs_record record = {0};
        bool more = true;
        FILE *stream = input_of(out.data, size);
        const char *error = rs_record_read(stream, &record, &more);
        bad += size ? !error || !strstr(error, "ends in the middle of a header") || record.arrays
                    : error || more;
        fclose(stream);
    }
    ok(bad == 0, "and so is each cut of its header in a stream, but for a clean end at 0");
    output_free(&out);
}

/* Parses and reads a header's text with `data` bytes behind it; both must say the same. */
static const char *parse_text(const char *text, size_t length, size_t data)
{
    struct rs_record record = {0}, read = {0};
    unsigned char *bytes = rs_alloc(8 + length + data, 1);
    size_t header;
    bool more;
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, text, length);
    const char *error = rs_record_parse(&record, bytes, 8 + length + data, &header);
    FILE *stream = input_of(bytes, 8 + length + data);
    const char *read_error = rs_record_read(stream, &read, &more);
    if (error && (!read_error || strcmp(error, read_error)))
        error = "stream and memory differ";
    fclose(stream);
    rs_record_free(&record);
    rs_record_free(&read);
    free(bytes);
    return error;
}

#define ARRAY(dtype, shape, offsets) "{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define ONE(dtype, shape, offsets) "{\"a\":" ARRAY(dtype, shape, offsets) "}"
#define U8_AT(from, to, size) ARRAY("\"U8\"", "[" #size "]", "[" #from "," #to "]")

static void test_malformed_headers(void)
{
    static const struct {
        const char *name, *text, *part;
    } headers[] = {
        {"text", "hello, world", "not JSON"},
        {"half an object", "{\"a\":", "not JSON"},
        {"a number", "12345", "not JSON"},
        {"a list", "[1,2,3]", "not a JSON object"},
        {"text behind the object", "{} x", "not JSON"},
        {"bad UTF-8", "{\"\377\":1}", "not JSON"},
        {"NUL in a name", "{\"a\\u0000b\":1}", "not JSON"},
        {"NUL in metadata", "{\"__metadata__\":{\"a\":\"b\\u0000\"}}", "not JSON"},
        {"an array twice", "{\"a\":" U8_AT(0, 4, 4) ",\"a\":" U8_AT(4, 8, 4) "}", "duplicate"},
        {"a field twice", ONE("\"U8\",\"dtype\":\"U8\"", "[8]", "[0,8]"), "duplicate"},
        {"metadata twice", "{\"__metadata__\":{},\"__metadata__\":{}}", "duplicate"},
        {"a key of metadata twice", "{\"__metadata__\":{\"k\":\"1\",\"k\":\"1\"}}", "duplicate"},
        {"metadata that are a list", "{\"__metadata__\":[\"k\"]}", "__metadata__ is not an object"},
        {"metadata that are null", "{\"__metadata__\":null}", "__metadata__ is not an object"},
        {"a number as metadata", "{\"__metadata__\":{\"k\":1}}", "'k' is not a string"},
        {"null as metadata", "{\"__metadata__\":{\"k\":null}}", "'k' is not a string"},
        {"an object as metadata", "{\"__metadata__\":{\"k\":{}}}", "'k' is not a string"},
        {"overlap", "{\"a\":" U8_AT(0, 5, 5) ",\"b\":" U8_AT(4, 8, 4) "}",
         "'b' overlaps another or leaves a hole"},
        {"two in one place", "{\"a\":" U8_AT(0, 8, 8) ",\"b\":" U8_AT(0, 8, 8) "}", "overlaps"},
        {"a hole", "{\"a\":" U8_AT(0, 3, 3) ",\"b\":" U8_AT(4, 8, 4) "}", "leaves a hole"},
        {"a hole before the first", "{\"a\":" U8_AT(1, 8, 7) "}", "leaves a hole"},
        {"too few bytes", ONE("\"F32\"", "[2]", "[0,4]"), "a: data_offsets do not fit its shape"},
        {"too many bytes", ONE("\"U8\"", "[2]", "[0,8]"), "do not fit"},
        {"an end before its beginning", ONE("\"U8\"", "[4]", "[8,4]"), "do not fit"},
        {"a negative offset", ONE("\"U8\"", "[4]", "[-4,0]"), "do not fit"},
        {"one offset", ONE("\"U8\"", "[8]", "[8]"), "not two numbers"},
        {"three offsets", ONE("\"U8\"", "[8]", "[0,8,8]"), "not two numbers"},
        {"offsets that are no integers", ONE("\"U8\"", "[8]", "[0,8.0]"), "not two numbers"},
        {"offsets that are an object", ONE("\"U8\"", "[8]", "{\"0\":0,\"1\":8}"), "not two numbers"},
        {"a negative size", ONE("\"U8\"", "[-8]", "[0,8]"), "no size"},
        {"two negative sizes", ONE("\"U8\"", "[-2,-4]", "[0,8]"), "no size"},
        {"a size that is no integer", ONE("\"U8\"", "[8.0]", "[0,8]"), "no size"},
        {"a size that is a string", ONE("\"U8\"", "[\"8\"]", "[0,8]"), "no size"},
        {"a shape that is a number", ONE("\"U8\"", "8", "[0,8]"), "shape is not a list"},
        {"rank 5", ONE("\"U8\"", "[1,1,1,1,8]", "[0,8]"), "at most 4"},
        {"a product over 2^64", ONE("\"U8\"", "[4294967296,4294967296]", "[0,0]"), "too large"},
        {"bytes over 2^64", ONE("\"I64\"", "[4611686018427387904]", "[0,0]"), "too large"},
        {"a size over 2^63", ONE("\"U8\"", "[9223372036854775808]", "[0,8]"), "not JSON"},
        {"an unknown dtype", ONE("\"F16\"", "[4]", "[0,8]"), "dtype F16 is not F32, U8 or I64"},
        {"a dtype in small letters", ONE("\"u8\"", "[8]", "[0,8]"), "dtype u8"},
        {"a dtype that is a number", ONE("8", "[8]", "[0,8]"), "dtype missing or no string"},
        {"a field too many", ONE("\"U8\",\"x\":1", "[8]", "[0,8]"), "a: is not an object of dtype"},
        {"a field too few", "{\"a\":{\"dtype\":\"U8\",\"shape\":[8]}}", "a: is not an object of dtype"},
        {"a field of another name", "{\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"offsets\":[0,8]}}",
         "not two numbers"},
        {"an array that is a list", "{\"a\":[]}", "a: is not an object"},
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        error_has(parse_text(headers[i].text, strlen(headers[i].text), 8), headers[i].part,
                  "a header with %s", headers[i].name);
}

static void test_lawful_headers(void)
{
    static const struct {
        const char *name, *text;
    } headers[] = {
        {"nothing", "{}"},
        {"metadata alone", "{\"__metadata__\":{\"k\":\"v\"}}"},
        {"arrays in another order than their data", "{\"b\":" U8_AT(4, 8, 4) ",\"a\":" U8_AT(0, 4, 4) "}"},
        {"fields in another order", "{\"a\":{\"data_offsets\":[0,8],\"shape\":[8],\"dtype\":\"U8\"}}"},
        {"blanks", " { \"a\" : " U8_AT(0, 8, 8) " }   "},
        {"an empty array between",
         "{\"a\":" U8_AT(0, 4, 4) ",\"e\":" U8_AT(4, 4, 0) ",\"b\":" U8_AT(4, 8, 4) "}"},
        {"rank 4", ONE("\"F32\"", "[1,1,1,2]", "[0,8]")},
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        no_error(parse_text(headers[i].text, strlen(headers[i].text), 8), "a header with %s",
                 headers[i].name);
}

static void test_order_of_arrays(void)
{
    const char text[] = "{\"b\":" U8_AT(4, 8, 4) ",\"a\":" U8_AT(0, 4, 4) "}";
    unsigned char bytes[8 + sizeof text + 8] = {0};
    struct rs_record record = {0};
    size_t header, length = sizeof text - 1;
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, text, length);
    no_error(rs_record_parse(&record, bytes, sizeof bytes, &header), "arrays out of order are parsed");
    ok(record.count == 2 && !strcmp(record.arrays[0].name, "a") && record.arrays[1].offset == 4,
       "and stand in the order of their data");
    rs_record_free(&record);
}

static void test_header_lengths(void)
{
    const uint64_t lengths[] = {0, 1, (1 << 20) + 1, UINT64_C(1) << 63, UINT64_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        unsigned char bytes[16] = {0};
        struct rs_record record = {0};
        size_t header;
        bool more;
        memcpy(bytes, &lengths[i], 8);
        error_has(rs_record_parse(&record, bytes, sizeof bytes, &header), "not a safetensors record",
                  "a header of %ju bytes", (uintmax_t)lengths[i]);
        FILE *stream = input_of(bytes, sizeof bytes);
        error_has(rs_record_read(stream, &record, &more), "not a safetensors record", "  and from a stream");
        fclose(stream);
    }
    unsigned char bytes[16] = {9, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
    struct rs_record record = {0};
    size_t header;
    error_has(rs_record_parse(&record, bytes, 16, &header), "ends in the middle of a header",
              "a header longer than the data");
}

static void test_record_write_errors(void)
{
    struct rs_record record = sample_record();
    FILE *full = full_device(), *closed = closed_pipe();
    error_has(rs_record_write(full, &record), "No space left", "a record to a full device");
    ok(rs_record_write(closed, &record) == rs_error_closed, "a record to a closed pipe");
    size_t room = 8;
    FILE *small = small_device(&room);
    error_has(rs_record_write(small, &record), "No space left", "a record to a device that takes its length");
    fclose(small);
    rs_meta_set(&record.meta, "kernel", "\377");
    struct output out;
    output_open(&out);
    error_has(rs_record_write(out.stream, &record), "not UTF-8", "metadata that are not UTF-8");
    fflush(out.stream);
    ok(out.size == 0, "and nothing is written");
    output_free(&out);
    fclose(full);
    fclose(closed);
    rs_record_free(&record);
}

/* --- Tensors --- */

static const char *describe(const char *text, struct rs_tensor *shape)
{
    struct rs_record record = {0};
    size_t header, length = strlen(text), data = 4096;
    unsigned char *bytes = rs_alloc(8 + length + data, 1);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, text, length);
    const char *error = rs_record_parse(&record, bytes, 8 + length + data, &header);
    if (error)
        error = "the header itself is wrong";
    else
        error = rs_tensor_describe(&record, shape);
    rs_record_free(&record);
    free(bytes);
    return error;
}

#define PLANE(name, dtype, shape, offsets) "\"" name "\":" ARRAY("\"" dtype "\"", shape, offsets)
#define IMAGE PLANE("image", "F32", "[2,3,1,4]", "[0,96]")

static void test_tensor_errors(void)
{
    static const struct {
        const char *name, *text, *part;
    } records[] = {
        {"no image", "{" PLANE("vessel", "U8", "[2,1,1,4]", "[0,8]") "}", "no array 'image'"},
        {"an image of bytes", "{" PLANE("image", "U8", "[2,3,1,4]", "[0,24]") "}", "no array 'image' of F32"},
        {"an image of rank 3", "{" PLANE("image", "F32", "[3,1,4]", "[0,48]") "}", "no array 'image' of F32"},
        {"an image of nothing", "{" PLANE("image", "F32", "[0,3,1,4]", "[0,0]") "}", "not in 1..1048576"},
        {"no planes", "{" PLANE("image", "F32", "[2,0,1,4]", "[0,0]") "}", "not in 1..1048576"},
        {"an image too wide", "{" PLANE("image", "F32", "[1,0,1,1048577]", "[0,0]") "}", "not in 1..1048576"},
        {"too many samples", "{" PLANE("image", "F32", "[1048577,1,1,0]", "[0,0]") "}", "not in 1..1048576"},
        {"a truth of floats", "{" IMAGE "," PLANE("vessel", "F32", "[2,1,1,4]", "[96,128]") "}",
         "'vessel' is not U8"},
        {"a truth of two planes", "{" IMAGE "," PLANE("vessel", "U8", "[2,2,1,4]", "[96,112]") "}",
         "'vessel' is not U8"},
        {"fewer truths than images", "{" IMAGE "," PLANE("vessel", "U8", "[1,1,1,4]", "[96,100]") "}",
         "'vessel' is not U8"},
        {"a truth of other sizes", "{" IMAGE "," PLANE("vessel", "U8", "[2,1,4,1]", "[96,104]") "}",
         "'vessel' is not U8"},
        {"a truth of rank 3", "{" IMAGE "," PLANE("vessel", "U8", "[2,1,4]", "[96,104]") "}",
         "'vessel' is not U8"},
        {"a field of view of rank 3", "{" IMAGE "," PLANE("fov", "U8", "[2,1,4]", "[96,104]") "}",
         "'fov' is not U8"},
        {"a truth before the image",
         "{" PLANE("vessel", "U8", "[2,1,1,4]", "[0,8]") "," PLANE("image", "F32", "[2,3,1,4]",
                                                                   "[8,104]") "}",
         "'image' is not in its place"},
        {"a field of view before the truth",
         "{" IMAGE "," PLANE("fov", "U8", "[2,1,1,4]", "[96,104]") "," PLANE("vessel", "U8", "[2,1,1,4]",
                                                                             "[104,112]") "}",
         "'vessel' is not in its place"},
        {"an array too many", "{" IMAGE "," PLANE("mask", "U8", "[2,1,1,4]", "[96,104]") "}",
         "other than image"},
        {"an array between",
         "{" IMAGE
         "," PLANE("mask", "U8", "[8]", "[96,104]") "," PLANE("vessel", "U8", "[2,1,1,4]", "[104,112]") "}",
         "'vessel' is not in its place"},
        {"an empty array too many", "{" IMAGE "," PLANE("mask", "U8", "[0]", "[96,96]") "}",
         "other than image"},
    };
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        struct rs_tensor shape;
        error_has(describe(records[i].text, &shape), records[i].part, "a tensor with %s", records[i].name);
    }
}

/* Writes a tensor, parses it, and looks at shape and data. */
static void test_tensor_round_trip(bool vessel, bool fov)
{
    const struct rs_tensor shape = {2, 3, 1, 4, vessel, fov};
    float image[24];
    uint8_t planes[2][8];
    struct rs_meta meta = {0};
    struct output out;
    struct rs_record record = {0};
    struct rs_tensor found;
    size_t header = 0;
    for (int i = 0; i < 24; i++)
        image[i] = (float)i / 7;
    for (int i = 0; i < 16; i++)
        planes[i / 8][i % 8] = (uint8_t)(i * 17);
    rs_meta_set(&meta, "kind", "rs-tensor");
    output_open(&out);
    no_error(rs_tensor_write(out.stream, &shape, &meta, image, planes[0], planes[1]), "image%s%s is written",
             vessel ? "+vessel" : "", fov ? "+fov" : "");
    fflush(out.stream);
    no_error(rs_record_parse(&record, (unsigned char *)out.data, out.size, &header), "  and parsed");
    no_error(rs_tensor_describe(&record, &found), "  as a tensor");
    no_error(rs_tensor_differ(&shape, &found), "  of the same shape");
    const char *data = out.data + header;
    ok(found.samples == 2 && header % 8 == 0 && out.size == header + 96 + (vessel ? 8 : 0) + (fov ? 8 : 0) &&
           !memcmp(data, image, 96) && (!vessel || !memcmp(data + 96, planes[0], 8)) &&
           (!fov || !memcmp(out.data + out.size - 8, planes[1], 8)),
       "  with the same data");
    ok(!strcmp(rs_meta_get(&record.meta, "kind"), "rs-tensor"), "  and metadata");
    rs_record_free(&record);
    rs_meta_free(&meta);
    output_free(&out);
}

static void test_tensor_differ(void)
{
    const struct rs_tensor a = {1, 3, 8, 16, true, true};
    const struct {
        struct rs_tensor b;
        const char *part;
    } others[] = {{{1, 1, 8, 16, true, true}, "[1,8,16] after [3,8,16]"},
                  {{1, 3, 9, 16, true, true}, "[3,9,16] after [3,8,16]"},
                  {{1, 3, 8, 17, true, true}, "[3,8,17] after [3,8,16]"},
                  {{1, 3, 8, 16, false, true}, "image+fov after image+vessel+fov"},
                  {{1, 3, 8, 16, true, false}, "image+vessel after image+vessel+fov"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        error_has(rs_tensor_differ(&a, &others[i].b), others[i].part, "tensors: %s", others[i].part);
    const struct rs_tensor more = {7, 3, 8, 16, true, true}, bare = {1, 3, 8, 16, false, false};
    no_error(rs_tensor_differ(&a, &more), "more samples are no difference");
    error_has(rs_tensor_differ(&bare, &a), "image+vessel+fov after image",
              "tensors: image+vessel+fov after image");
}

/* A record of 2 samples of 3 x 1 x 4 with truth and field of view, whose bytes tell their places. */
static void put_numbered(FILE *stream, int first)
{
    const struct rs_tensor shape = {2, 3, 1, 4, true, true};
    float image[24];
    uint8_t planes[2][8];
    struct rs_meta meta = {0};
    for (int i = 0; i < 24; i++)
        image[i] = (float)(first + i);
    for (int i = 0; i < 16; i++)
        planes[i / 8][i % 8] = (uint8_t)(first + 24 + i);
    rs_meta_set(&meta, "first", "%d", first);
    rs_tensor_write(stream, &shape, &meta, image, planes[0], planes[1]);
    rs_meta_free(&meta);
}

static void test_tensor_read(void)
{
    const struct rs_tensor bare = {1, 1, 2, 1, false, false};
    const float two[] = {-1, -2};
    struct rs_meta meta = {0};
    struct rs_tensor_record record = {0};
    struct output out;
    bool more;
    output_open(&out);
    put_numbered(out.stream, 0);
    put_numbered(out.stream, 100);
    rs_tensor_write(out.stream, &bare, &meta, two, NULL, NULL);
    fflush(out.stream);
    FILE *stream = input_of(out.data, out.size);
    for (int first = 0; first < 200; first += 100) {
        char text[8];
        snprintf(text, sizeof text, "%d", first);
        no_error(rs_tensor_read(stream, 8, &record, &more), "a record is read");
        ok(more && record.shape.samples == 2 && record.shape.has_fov &&
               !strcmp(rs_meta_get(&record.meta, "first"), text) && record.meta.count == 1,
           "  its shape and metadata");
        for (int n = 0; n < 2; n++) {
            struct rs_tensor_sample sample = rs_tensor_sample(&record, n);
            int wrong = 0;
            for (int i = 0; i < 12; i++)
                wrong += sample.image[i] != (float)(first + 12 * n + i);
            for (int i = 0; i < 4; i++)
                wrong +=
                    sample.vessel[i] != first + 24 + 4 * n + i || sample.fov[i] != first + 32 + 4 * n + i;
            ok(wrong == 0, "  and sample %d", n);
        }
    }
    no_error(rs_tensor_read(stream, 2, &record, &more), "a smaller one into the same memory");
    struct rs_tensor_sample sample = rs_tensor_sample(&record, 0);
    ok(more && sample.image[0] == -1 && sample.image[1] == -2 && !sample.vessel && !sample.fov &&
           !record.meta.count,
       "  nothing is left of those before");
    no_error(rs_tensor_read(stream, 2, &record, &more), "the end");
    ok(!more, "  is one");
    rs_tensor_free(&record);
    ok(!record.data && !record.meta.pairs, "freed");
    fclose(stream);
    output_free(&out);
}

static void test_tensor_read_errors(void)
{
    struct output out;
    bool more;
    size_t passed = 0;
    output_open(&out);
    put_numbered(out.stream, 0);
    fflush(out.stream);
    for (size_t size = 1; size < out.size; size++) {
        struct rs_tensor_record record = {0};
        FILE *stream = input_of(out.data, size);
        passed += !rs_tensor_read(stream, 8, &record, &more);
        rs_tensor_free(&record);
        fclose(stream);
    }
    ok(passed == 0, "a record cut at each of its %zu bytes: %zu passed", out.size, passed);
    for (int most = 3; most < 8; most += 4) {
        struct rs_tensor_record record = {0};
        FILE *stream = input_of(out.data, out.size);
        error_has(rs_tensor_read(stream, most, &record, &more),
                  "2 x 4 x 1 pixels are more than -max-pixels=", "more than %d pixels", most);
        ok(!record.data, "  no memory is taken for it");
        rs_tensor_free(&record);
        fclose(stream);
    }
    output_free(&out);
}

/* Larger than what is read at a time; of one that promises more than it brings, memory is taken for what comes. */
static void test_tensor_read_large(void)
{
    const struct rs_tensor shape = {1, 1, 1000, 900, false, false};
    size_t count = 900000, cut = 1600000;
    float *image = rs_alloc(count, sizeof *image);
    struct rs_meta meta = {0};
    struct rs_tensor_record record = {0};
    struct output out;
    bool more;
    for (size_t i = 0; i < count; i++)
        image[i] = (float)i;
    output_open(&out);
    rs_tensor_write(out.stream, &shape, &meta, image, NULL, NULL);
    fflush(out.stream);
    FILE *stream = input_of(out.data, out.size), *torn = input_of(out.data, cut);
    error_has(rs_tensor_read(torn, RS_USUAL_PIXELS, &record, &more), "ends in the middle of its data",
              "a record of 3.6 MB that ends early");
    ok(record.room < 2 * cut, "  takes %zu bytes for %zu", record.room, cut);
    no_error(rs_tensor_read(stream, RS_USUAL_PIXELS, &record, &more), "one that does not");
    ok(more && !memcmp(record.data, image, count * sizeof *image), "  is read whole");
    rs_tensor_free(&record);
    fclose(stream);
    fclose(torn);
    output_free(&out);
    free(image);
}

/* At the end of each of its parts: header, image, truth, field of view. */
static void test_tensor_torn_by_device(void)
{
    const struct rs_tensor shape = {1, 1, 1, 2, true, true};
    const float image[2] = {1, 2};
    const uint8_t plane[2] = {0, 255};
    const size_t parts[] = {8, 2, 2, 0};
    struct rs_meta meta = {0};
    size_t room = 1 << 20, least = 12;
    FILE *large = small_device(&room);
    no_error(rs_tensor_write(large, &shape, &meta, image, plane, plane), "a tensor to a device with room");
    fclose(large);
    for (int i = 0; i < 4; least -= parts[i++]) {
        size_t left = (1 << 20) - room - least;
        FILE *small = small_device(&left);
        const char *error = rs_tensor_write(small, &shape, &meta, image, plane, plane);
        if (least)
            error_has(error, "No space left", "a tensor to one with room for all but %zu bytes", least);
        else
            no_error(error, "a tensor to one that it fills");
        fclose(small);
    }
}

static void test_tensor_write_errors(void)
{
    const struct rs_tensor shape = {1, 1, 1, 2, true, false};
    const float image[2] = {1, 2};
    const uint8_t vessel[2] = {0, 255};
    struct rs_meta meta = {0};
    FILE *full = full_device(), *closed = closed_pipe();
    error_has(rs_tensor_write(full, &shape, &meta, image, vessel, NULL), "No space left",
              "a tensor to a full device");
    ok(rs_tensor_write(closed, &shape, &meta, image, vessel, NULL) == rs_error_closed,
       "a tensor to a closed pipe");
    fclose(full);
    fclose(closed);
}

/* --- Images --- */

/* Every sample another, all values of maxval used. */
static struct rs_image numbered(struct rs_image like, int width, int height)
{
    struct rs_image image = {0};
    rs_image_shape(&image, &like, width, height, false);
    int count = width * height * rs_image_planes(&image);
    for (int i = 0; i < count; i++)
        image.samples[i] = (uint16_t)((long)i * 7919 % (like.maxval + 1L));
    image.samples[count - 1] = (uint16_t)like.maxval;
    return image;
}

static void write_image(struct output *out, const struct rs_image *image)
{
    output_open(out);
    const char *error = rs_image_write(out->stream, image);
    fflush(out->stream);
    if (error)
        no_error(error, "an image is written");
}

/* Depth 1 is PGM, which does not tell a map from a photograph; but for patches. */
static bool same_image(const struct rs_image *a, const struct rs_image *b)
{
    size_t samples = (size_t)(a->width * a->height * rs_image_planes(a));
    enum rs_subject subject = rs_image_planes(a) == 1 && !a->is_patch ? RS_GRAYSCALE : a->subject;
    return b->subject == subject && a->is_patch == b->is_patch && a->has_vessel == b->has_vessel &&
           a->has_fov == b->has_fov && a->width == b->width && a->height == b->height &&
           a->maxval == b->maxval && !memcmp(a->samples, b->samples, samples * sizeof *a->samples);
}

/* Reads the image and the clean end behind it. */
static const char *read_one(const void *data, size_t size, struct rs_image *image)
{
    bool more = false;
    struct rs_image none = {0};
    FILE *stream = input_of(data, size);
    const char *error = rs_image_read(stream, RS_USUAL_PIXELS, image, &more);
    if (!error && !more)
        error = "no image";
    if (!error)
        error = rs_image_read(stream, RS_USUAL_PIXELS, &none, &more);
    if (!error && more)
        error = "a second image";
    rs_image_free(&none);
    fclose(stream);
    return error;
}

static void test_image_round_trip(struct rs_image like)
{
    char kind[32];
    const int sizes[][2] = {{1, 1}, {7, 3}, {2, 19}};
    rs_image_kind(&like, kind);
    for (int i = 0; i < 3; i++) {
        struct rs_image image = numbered(like, sizes[i][0], sizes[i][1]), read = {0};
        struct output out;
        write_image(&out, &image);
        const char *magic = rs_image_planes(&image) == 1 && !image.is_patch ? "P5\n" : "P7\n";
        const char *error = read_one(out.data, out.size, &read);
        ok(!error && !memcmp(out.data, magic, 3) && same_image(&image, &read),
           "%s, %d x %d of maxval %d, is read as it was written", kind, image.width, image.height,
           image.maxval);
        rs_image_free(&image);
        rs_image_free(&read);
        output_free(&out);
    }
}

/* Every cut is an error, but for a clean end at 0. */
static void test_cut_image(struct rs_image like)
{
    char kind[32];
    struct rs_image image = numbered(like, 3, 2);
    struct output out;
    write_image(&out, &image);
    size_t bad = 0;
    rs_image_kind(&like, kind);
    for (size_t size = 0; size < out.size; size++) {
        struct rs_image read = {0};
        bool more = true;
        FILE *stream = input_of(out.data, size);
        const char *error = rs_image_read(stream, RS_USUAL_PIXELS, &read, &more);
        bad += size ? !error : error || more;
        rs_image_free(&read);
        fclose(stream);
    }
    ok(bad == 0, "%s of maxval %d, cut at each of its %zu bytes: %zu passed", kind, like.maxval, out.size,
       bad);
    rs_image_free(&image);
    output_free(&out);
}

static void test_all_kinds(void)
{
    const int maxvals[] = {1, 100, 255, 256, 65535};
    for (int kind = 0; kind < 24; kind++)
        for (int i = 0; i < 5; i++) {
            struct rs_image like = {.subject = (enum rs_subject)(kind / 8),
                                    .is_patch = kind & 4,
                                    .has_vessel = kind & 1,
                                    .has_fov = kind & 2,
                                    .maxval = maxvals[i]};
            test_image_round_trip(like);
            if (maxvals[i] == 255 || maxvals[i] == 65535)
                test_cut_image(like);
        }
}

/* A text with the bytes that it stands for; NUL may be among them. */
#define BYTES(text) text, sizeof(text) - 1

static void test_read_kinds(void)
{
    static const struct {
        const char *name, *data;
        size_t size;
        int subject, planes, maxval, samples[6]; /* of an image of 2 x 1, or 1 x 2 */
    } images[] = {
        {"P1", BYTES("P1\n2 1\n1 0\n"), RS_GRAYSCALE, 1, 1, {0, 1}},
        {"P1 without blanks", BYTES("P1 2 1 10"), RS_GRAYSCALE, 1, 1, {0, 1}},
        {"P2", BYTES("P2\n2 1\n255\n7 250\n"), RS_GRAYSCALE, 1, 255, {7, 250}},
        {"P2 of 16 bits", BYTES("P2 2 1 65535 7 65535\n \t\n"), RS_GRAYSCALE, 1, 65535, {7, 65535}},
        {"P3", BYTES("P3\n2 1\n15\n1 2 3\n4 5 15\n"), RS_RGB, 3, 15, {1, 2, 3, 4, 5, 15}},
        {"P4", BYTES("P4\n2 1\n\200"), RS_GRAYSCALE, 1, 1, {0, 1}},
        {"P5", BYTES("P5\n2 1\n255\n\1\377"), RS_GRAYSCALE, 1, 255, {1, 255}},
        {"P5 of 16 bits", BYTES("P5 2 1 65535\n\1\2\377\377"), RS_GRAYSCALE, 1, 65535, {258, 65535}},
        {"P5 of 9 bits", BYTES("P5 2 1 511\n\0\2\1\377"), RS_GRAYSCALE, 1, 511, {2, 511}},
        {"P5 whose first sample looks like a blank",
         BYTES("P5 2 1 255\n\n "),
         RS_GRAYSCALE,
         1,
         255,
         {10, 32}},
        {"P6", BYTES("P6\n2 1\n255\nabcdef"), RS_RGB, 3, 255, {97, 98, 99, 100, 101, 102}},
        {"P6 of 16 bits",
         BYTES("P6 2 1 256\n\0\1\0\2\0\3\0\4\1\0\0\6"),
         RS_RGB,
         3,
         256,
         {1, 2, 3, 4, 256, 6}},
        {"comments",
         BYTES("P5#one\n# two\n2#three\n 1 # four\n255#five\n\1\2"),
         RS_GRAYSCALE,
         1,
         255,
         {1, 2}},
        {"carriage returns", BYTES("P5\r\n2\r\n1\r\n255\nab"), RS_GRAYSCALE, 1, 255, {97, 98}},
        {"P7",
         BYTES("P7\nWIDTH 2\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nTUPLTYPE PROB\nENDHDR\nab"),
         RS_PROB,
         1,
         255,
         {97, 98}},
        {"P7 in another order, with comments, blanks and empty lines",
         BYTES("P7\n#\nMAXVAL 255\n\n  DEPTH\t3 \n# x\nTUPLTYPE RGB\nHEIGHT 1\nWIDTH 2\nENDHDR\nabcdef"),
         RS_RGB,
         3,
         255,
         {97, 98, 99, 100, 101, 102}},
        {"P7 of depth 1 without TUPLTYPE",
         BYTES("P7\nWIDTH 2\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nENDHDR\nab"),
         RS_GRAYSCALE,
         1,
         255,
         {97, 98}},
        {"P7 of depth 3 without TUPLTYPE",
         BYTES("P7\nWIDTH 2\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nENDHDR\nabcdef"),
         RS_RGB,
         3,
         255,
         {97, 98, 99, 100, 101, 102}},
        {"P7 in black and white",
         BYTES("P7\nWIDTH 2\nHEIGHT 1\nDEPTH 1\nMAXVAL 1\nTUPLTYPE BLACKANDWHITE\nENDHDR\n\0\1"),
         RS_GRAYSCALE,
         1,
         1,
         {0, 1}},
        {"P7 with truth and field of view",
         BYTES("P7\nWIDTH 2\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nTUPLTYPE GRAYSCALE_VESSEL_FOV\nENDHDR\nabcdef"),
         RS_GRAYSCALE,
         3,
         255,
         {97, 98, 99, 100, 101, 102}},
        {"P7 of 16 bits",
         BYTES("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 2\nMAXVAL 65535\nTUPLTYPE PROB_FOV\nENDHDR\n\1\0\377\377"),
         RS_PROB,
         2,
         65535,
         {256, 65535}},
    };
    for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
        struct rs_image image = {0};
        int wrong = 0;
        const char *error = read_one(images[i].data, images[i].size, &image);
        if (!no_error(error, "%s is read", images[i].name))
            continue;
        int samples = image.width * image.height * rs_image_planes(&image);
        for (int k = 0; k < samples; k++)
            wrong += image.samples[k] != images[i].samples[k];
        ok(wrong == 0 && (int)image.subject == images[i].subject &&
               rs_image_planes(&image) == images[i].planes && image.maxval == images[i].maxval,
           "  as it is meant");
        rs_image_free(&image);
    }
}

#define PAM(lines, data) BYTES("P7\n" lines "ENDHDR\n" data)
#define SIZES "WIDTH 2\nHEIGHT 1\n"

static void test_read_errors(void)
{
    static const struct {
        const char *name, *data;
        size_t size;
        const char *part;
    } images[] = {
        {"text", BYTES("hello"), "not a PNM or PAM image"},
        {"one letter", BYTES("P"), "not a PNM or PAM image"},
        {"P0", BYTES("P0\n1 1\n"), "not a PNM or PAM image"},
        {"P8", BYTES("P8\n1 1\n"), "not a PNM or PAM image"},
        {"P55", BYTES("P55 1 1 255 a"), "not a PNM or PAM image"},
        {"a JPEG", BYTES("\377\330\377\340"), "not a PNM or PAM image"},
        {"an empty line before it", BYTES("\nP5 1 1 255\na"), "not a PNM or PAM image"},
        {"two letters alone", BYTES("P5"), "ends in the middle of a header"},
        {"width 0", BYTES("P5 0 1 255\n"), "width: '0' is not a whole number from 1 to 429496729"},
        {"a negative height", BYTES("P5 1 -1 255\n"), "height: '-1'"},
        {"maxval 0", BYTES("P5 1 1 0\n"), "maxval: '0' is not a whole number from 1 to 65535"},
        {"maxval 65536", BYTES("P5 1 1 65536\n\0\0"), "maxval: '65536'"},
        {"a hexadecimal width", BYTES("P5 0x1 1 255\na"), "width: '0x1'"},
        {"a width of 15 digits", BYTES("P5 000000000000001 1 255\na"), NULL},
        {"a width of 16 digits", BYTES("P5 0000000000000001 1 255\na"), "a word longer than 15 characters"},
        {"NUL in a number", BYTES("P5 1\0002 1 255\na"), "a header with a NUL character"},
        {"NUL between numbers", BYTES("P5 1 \0001 255\na"), "a header with a NUL character"},
        {"2^32 + 1 columns", BYTES("P5 4294967297 1 255\na"), "width: '4294967297'"},
        {"too many pixels", BYTES("P5 65535 65535 255\na"),
         "65535 x 65535 pixels are more than -max-pixels=178956970"},
        {"too many pixels by one row", BYTES("P6 178956970 2 255\na"), "178956970 x 2 pixels are more"},
        {"a comment without end", BYTES("P5 1 1 # x"), "ends in the middle of a header"},
        {"no raster", BYTES("P5 2 1 255\n"), "ends in the middle of an image"},
        {"half a raster", BYTES("P5 2 1 255\na"), "ends in the middle of an image"},
        {"half a sample", BYTES("P5 2 1 65535\nabc"), "ends in the middle of an image"},
        {"half a plain raster", BYTES("P2 2 1 255\n12"), "ends in the middle of an image"},
        {"half a bitmap", BYTES("P4 9 1\na"), "ends in the middle of an image"},
        {"half a plain bitmap", BYTES("P1 2 1\n1"), "ends in the middle of an image"},
        {"a letter among numbers", BYTES("P2 2 1 255\n1 x"), "junk"},
        {"a 2 in a plain bitmap", BYTES("P1 2 1\n12"), "junk"},
        {"a sample over maxval", BYTES("P5 2 1 100\n\1\145"), "maxval"},
        {"a plain sample over maxval", BYTES("P2 2 1 100\n1 101\n"), "maxval"},
        {"a sample of 16 bits over maxval", BYTES("P5 1 1 256\n\1\1"), "maxval"},
        {"a truth over maxval", PAM(SIZES "DEPTH 2\nMAXVAL 9\nTUPLTYPE GRAYSCALE_VESSEL\n", "\0\1\2\12"),
         "maxval"},
        {"junk behind it", BYTES("P5 1 1 255\naXYZ"), "not a PNM or PAM image"},
        {"a newline behind it", BYTES("P5 1 1 255\na\n"), "not a PNM or PAM image"},
        {"junk behind a plain image", BYTES("P2 1 1 255\n7\nx"), "not a PNM or PAM image"},
        {"no width", PAM("HEIGHT 1\nDEPTH 1\nMAXVAL 255\n", "a"), "a header without WIDTH"},
        {"no height", PAM("WIDTH 1\nDEPTH 1\nMAXVAL 255\n", "a"), "a header without HEIGHT"},
        {"no depth", PAM(SIZES "MAXVAL 255\n", "a"), "a header without DEPTH"},
        {"no maxval", PAM(SIZES "DEPTH 1\n", "a"), "a header without MAXVAL"},
        {"two widths", PAM("WIDTH 2\n" SIZES "DEPTH 1\nMAXVAL 255\n", "ab"), "WIDTH stands twice"},
        {"depth 6", PAM(SIZES "DEPTH 6\nMAXVAL 255\n", "a"), "DEPTH: '6' is not a whole number from 1 to 5"},
        {"depth 0", PAM(SIZES "DEPTH 0\nMAXVAL 255\n", "a"), "DEPTH: '0'"},
        {"a word behind a number", PAM("WIDTH 2 x\n", ""), "WIDTH: '2 x'"},
        {"a key without value", PAM("WIDTH\n", ""), "WIDTH: ''"},
        {"a key in small letters", PAM("width 2\n", ""), "unknown header line 'width'"},
        {"an unknown key", PAM("COLOR 2\n", ""), "unknown header line 'COLOR'"},
        {"NUL", BYTES("P7\nWIDTH 2\0\nHEIGHT 1\n"), "a header with a NUL character"},
        {"a header that does not end", BYTES("P7\n" SIZES), "ends in the middle of a header"},
        {"TUPLTYPE RGB_ALPHA", PAM(SIZES "DEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\n", ""),
         "TUPLTYPE RGB_ALPHA is not"},
        {"the planes in another order", PAM(SIZES "DEPTH 5\nMAXVAL 255\nTUPLTYPE RGB_FOV_VESSEL\n", ""),
         "TUPLTYPE RGB_FOV_VESSEL is not"},
        {"a plane twice", PAM(SIZES "DEPTH 5\nMAXVAL 255\nTUPLTYPE RGB_FOV_FOV\n", ""),
         "TUPLTYPE RGB_FOV_FOV is not"},
        {"a mark before a plane", PAM(SIZES "DEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_PATCH_FOV\n", ""),
         "TUPLTYPE RGB_PATCH_FOV is not"},
        {"a mark twice", PAM(SIZES "DEPTH 3\nMAXVAL 255\nTUPLTYPE RGB_PATCH_PATCH\n", ""),
         "TUPLTYPE RGB_PATCH_PATCH is not"},
        {"no photograph", PAM(SIZES "DEPTH 1\nMAXVAL 255\nTUPLTYPE _FOV\n", ""), "TUPLTYPE _FOV is not"},
        {"a name that only begins right", PAM(SIZES "DEPTH 3\nMAXVAL 255\nTUPLTYPE RGBA\n", ""),
         "TUPLTYPE RGBA is not"},
        {"two TUPLTYPEs", PAM(SIZES "DEPTH 4\nMAXVAL 255\nTUPLTYPE RGB\nTUPLTYPE _FOV\n", ""),
         "TUPLTYPE RGB _FOV is not"},
        {"RGB of depth 4", PAM(SIZES "DEPTH 4\nMAXVAL 255\nTUPLTYPE RGB\n", ""),
         "TUPLTYPE RGB has 3 planes, but DEPTH is 4"},
        {"RGB_VESSEL_FOV of depth 4", PAM(SIZES "DEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_VESSEL_FOV\n", ""),
         "has 5 planes, but DEPTH is 4"},
        {"depth 2 without TUPLTYPE", PAM(SIZES "DEPTH 2\nMAXVAL 255\n", ""), "has 1 planes, but DEPTH is 2"},
    };
    for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
        struct rs_image image = {0};
        const char *error = read_one(images[i].data, images[i].size, &image);
        if (images[i].part)
            error_has(error, images[i].part, "an image with %s", images[i].name);
        else
            no_error(error, "an image with %s", images[i].name);
        rs_image_free(&image);
    }
}

/* Rows around the pieces that they are read in: samples count up, bits change from column to column. */
static void test_wide(int width)
{
    for (char kind = '1'; kind <= '6'; kind++) {
        struct rs_image image = {0};
        struct output out;
        bool color = kind == '3' || kind == '6', bitmap = kind == '1' || kind == '4';
        int wrong = 0;
        output_open(&out);
        fprintf(out.stream, "P%c %d 2%s\n", kind, width, bitmap ? "" : " 255");
        for (int i = 0; i < 2 * (kind == '4' ? (width + 7) / 8 : color ? 3 * width : width); i++)
            if (kind < '4')
                fprintf(out.stream, "%d ", bitmap ? i % width % 2 : i % 256);
            else
                putc(bitmap ? 0x55 : i % 256, out.stream);
        fflush(out.stream);
        no_error(read_one(out.data, out.size, &image), "a P%c of rows of %d pixels", kind, width);
        for (int i = 0; i < 2 * width * rs_image_planes(&image); i++)
            wrong += image.samples[i] != (bitmap ? i % width % 2 == 0 : i % 256);
        ok(wrong == 0, "  is read as it is meant");
        rs_image_free(&image);
        output_free(&out);
    }
}

/* What netpbm refuses to write is an error, not its exit. */
static void test_unwritable(void)
{
    uint16_t sample = 1;
    const struct rs_image image = {
        .subject = RS_GRAYSCALE, .width = 1, .height = 1, .maxval = 65536, .samples = &sample, .capacity = 1};
    struct output out;
    output_open(&out);
    const char *error = rs_image_write(out.stream, &image);
    ok(error && strstr(error, "axval"), "a maxval that netpbm does not write: %s", error ? error : "written");
    output_free(&out);
}

static void test_long_table(void)
{
    static const struct rs_table_range none[] = {{0}};
    struct rs_table table = {0};
    struct output out;
    output_open(&out);
    fputs("x\n", out.stream);
    for (int i = 0; i <= RS_TABLE_ROWS; i++)
        fputs("1\n", out.stream);
    fflush(out.stream);
    FILE *stream = fmemopen(out.data, out.size, "r");
    no_error(rs_table_read_header(&table, stream, false), "a table of too many rows");
    error_has(rs_table_read_rows(&table, stream, none, false), "line 4194306: more rows than the 4194304",
              "is refused");
    fclose(stream);
    rs_table_free(&table);
    output_free(&out);
}

/* A header may ask for gigabytes that its stream does not bring. */
static void test_oversized(void)
{
    const char *const headers[] = {"P5 178956970 178956970 255\n", "P6 178956970 1 255\n",
                                   "P7\nWIDTH 178956970\nHEIGHT 2\nDEPTH 5\nMAXVAL 65535\n"
                                   "TUPLTYPE RGB_VESSEL_FOV\nENDHDR\n"};
    for (int i = 0; i < 3; i++) {
        struct rs_image image = {0};
        const char *error = read_one(headers[i], strlen(headers[i]), &image);
        ok(error && image.capacity <= 1 << 16, "oversized, and nothing much is allocated: %s",
           error ? error : "no error");
        rs_image_free(&image);
    }
}

/* A PAM header whose TUPLTYPE line is `length` bytes long, newline not counted. */
static const char *read_line_of(size_t length, char filler)
{
    static const char before[] = "P7\nWIDTH 1\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\n", line[] = "TUPLTYPE RGB";
    char *data = rs_alloc(sizeof before + length + 16, 1), *at = data;
    struct rs_image image = {0};
    at = mempcpy(at, before, sizeof before - 1);
    memset(at, filler, length);
    memcpy(at, line, sizeof line - 1);
    at = mempcpy(at + length, "\nENDHDR\nabc", 11);
    const char *error = read_one(data, (size_t)(at - data), &image);
    free(data);
    rs_image_free(&image);
    return error;
}

static void test_long_lines(void)
{
    for (size_t length = 253; length <= 255; length++) {
        no_error(read_line_of(length, ' '), "a header line of %zu bytes, most of them blanks", length);
        error_has(read_line_of(length, 'x'), "TUPLTYPE RGBxxx", "a header line of %zu letters", length);
    }
    error_has(read_line_of(256, 'x'), "a header line longer than 255", "a header line of 256 bytes");
    error_has(read_line_of(100000, ' '), "a header line longer than 255", "a header line of 100000 bytes");
}

static void test_long_type(void)
{
    char data[1024] = "P7\nWIDTH 1\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\n";
    struct rs_image image = {0};
    for (int i = 0; i < 3; i++) {
        strcat(data, "TUPLTYPE ");
        memset(data + strlen(data), 'x', 100);
        strcat(data, "\n");
    }
    strcat(data, "ENDHDR\nabc");
    error_has(read_one(data, strlen(data), &image), "a TUPLTYPE longer than 255",
              "a TUPLTYPE of three long lines");
}

static void test_long_comment(const char *before, const char *after)
{
    enum { LONG = 1 << 20 };
    struct output out;
    struct rs_image image = {0};
    output_open(&out);
    fprintf(out.stream, "%s#", before);
    for (int i = 0; i < LONG; i++)
        putc('x', out.stream);
    fprintf(out.stream, "\n%s", after);
    fflush(out.stream);
    no_error(read_one(out.data, out.size, &image), "a comment of 1 MiB in a %.2s", before);
    ok(image.samples && image.samples[0] == 'a', "  is passed over");
    rs_image_free(&image);
    output_free(&out);
}

/* What an image that is larger leaves does not show in the next. */
static void test_images_end_to_end(void)
{
    const struct rs_image deep = {.subject = RS_RGB, .has_vessel = true, .has_fov = true, .maxval = 65535};
    const struct rs_image flat = {.subject = RS_GRAYSCALE, .maxval = 255};
    struct rs_image first = numbered(deep, 9, 8), second = numbered(flat, 3, 2), read = {0};
    struct output out;
    bool more = false;
    output_open(&out);
    rs_image_write(out.stream, &first);
    fprintf(out.stream, "P2 1 1 9 7\n\n  ");
    rs_image_write(out.stream, &second);
    fflush(out.stream);
    FILE *stream = input_of(out.data, out.size);
    no_error(rs_image_read(stream, RS_USUAL_PIXELS, &read, &more), "the first image of three");
    ok(more && same_image(&first, &read), "  is read");
    no_error(rs_image_read(stream, RS_USUAL_PIXELS, &read, &more),
             "the second, a plain one with blanks behind it");
    ok(more && read.samples[0] == 7 && read.maxval == 9, "  is read");
    no_error(rs_image_read(stream, RS_USUAL_PIXELS, &read, &more), "the third");
    ok(more && same_image(&second, &read), "  is read");
    no_error(rs_image_read(stream, RS_USUAL_PIXELS, &read, &more), "the end");
    ok(!more && same_image(&second, &read), "  is clean, and leaves the image alone");
    fclose(stream);
    rs_image_free(&first);
    rs_image_free(&second);
    rs_image_free(&read);
    output_free(&out);
}

static void test_image_write_errors(void)
{
    const struct rs_image deep = {.subject = RS_RGB, .has_fov = true, .maxval = 255};
    const struct rs_image flat = {.subject = RS_GRAYSCALE, .maxval = 255};
    struct rs_image images[2] = {numbered(deep, 5, 4), numbered(flat, 5, 4)};
    for (int i = 0; i < 2; i++) {
        FILE *full = full_device(), *closed = closed_pipe();
        error_has(rs_image_write(full, &images[i]), "No space left", "a P%d to a full device", i ? 5 : 7);
        ok(rs_image_write(closed, &images[i]) == rs_error_closed, "a P%d to a closed pipe", i ? 5 : 7);
        fclose(full);
        fclose(closed);
        rs_image_free(&images[i]);
    }
}

static void test_read_fails(void)
{
    struct rs_image image = {0};
    struct rs_record record = {0};
    bool more = false;
    FILE *stream = fopen(".", "rb");
    error_has(rs_image_read(stream, RS_USUAL_PIXELS, &image, &more), "cannot read: Is a directory",
              "an image from a directory");
    clearerr(stream);
    error_has(rs_record_read(stream, &record, &more), "cannot read: Is a directory",
              "a record from a directory");
    fclose(stream);
}

/* Brings what there is, then fails. */
struct failing {
    const char *bytes;
    size_t left;
};

static ssize_t read_then_fail(void *cookie, char *buffer, size_t size)
{
    struct failing *from = cookie;
    size_t length = from->left < size ? from->left : size;
    if (length == 0) {
        errno = EIO;
        return -1;
    }
    memcpy(buffer, from->bytes, length);
    from->bytes += length;
    from->left -= length;
    return (ssize_t)length;
}

static FILE *failing_stream(struct failing *from)
{
    return fopencookie(from, "rb", (cookie_io_functions_t){.read = read_then_fail});
}

static void test_read_fails_within(void)
{
    const char *const images[] = {"P5 1 ", "P7\nWIDTH", "P5 2 2 255\nab", "P2 2 2 255 1 "};
    for (int i = 0; i < 4; i++) {
        struct failing from = {images[i], strlen(images[i])};
        struct rs_image image = {0};
        bool more;
        FILE *stream = failing_stream(&from);
        error_has(rs_image_read(stream, RS_USUAL_PIXELS, &image, &more), "cannot read: Input/output error",
                  "a read that fails within %s %.2s", i < 2 ? "the header of a" : "a", images[i]);
        rs_image_free(&image);
        fclose(stream);
    }
    for (size_t size = 7; size <= 9; size++) {
        struct failing from = {"\5\0\0\0\0\0\0\0{", size};
        struct rs_record record = {0};
        bool more;
        FILE *stream = failing_stream(&from);
        error_has(rs_record_read(stream, &record, &more), "cannot read: Input/output error",
                  "a read that fails behind %zu bytes of a record", size);
        fclose(stream);
    }
}

static void test_tensor_read_fails(void)
{
    struct output out;
    struct rs_tensor_record record = {0};
    bool more;
    output_open(&out);
    put_numbered(out.stream, 0);
    fflush(out.stream);
    struct failing from = {out.data, out.size - 5};
    FILE *stream = failing_stream(&from);
    error_has(rs_tensor_read(stream, 8, &record, &more), "cannot read: Input/output error",
              "a read that fails within a tensor's data");
    rs_tensor_free(&record);
    fclose(stream);
    output_free(&out);
}

static void test_planes(void)
{
    const struct rs_image full = {.subject = RS_RGB, .has_vessel = true, .has_fov = true, .maxval = 9};
    const struct rs_image map = {.subject = RS_PROB, .has_fov = true, .maxval = 8};
    char kind[32];
    rs_image_kind(&full, kind);
    ok(!strcmp(kind, "RGB_VESSEL_FOV") && rs_image_planes(&full) == 5 && rs_image_vessel_plane(&full) == 3 &&
           rs_image_fov_plane(&full) == 4,
       "the planes of %s", kind);
    rs_image_kind(&map, kind);
    ok(!strcmp(kind, "PROB_FOV") && rs_image_planes(&map) == 2 && rs_image_vessel_plane(&map) == -1 &&
           rs_image_fov_plane(&map) == 1,
       "the planes of %s", kind);
    ok(!rs_image_yes(&full, 4) && rs_image_yes(&full, 5), "yes is over half of an odd maxval");
    ok(!rs_image_yes(&map, 4) && rs_image_yes(&map, 5), "half of an even maxval is no");
}

static void test_copy(void)
{
    const struct rs_image like = {.subject = RS_RGB, .has_vessel = true, .maxval = 1000};
    struct rs_image image = numbered(like, 5, 3), plain = {0}, with = {0};
    int wrong = 0;
    rs_image_copy(&plain, &image, false);
    ok(same_image(&image, &plain) && plain.samples != image.samples, "a copy");
    rs_image_copy(&with, &image, true);
    for (int i = 0; i < 15; i++)
        wrong += memcmp(with.samples + i * 5, image.samples + i * 4, 4 * sizeof *with.samples) != 0 ||
                 with.samples[i * 5 + 4] != 1000;
    image.is_patch = true;
    rs_image_copy(&with, &image, true);
    ok(with.is_patch && !plain.is_patch, "a copy of a patch is marked, too");
    ok(wrong == 0 && with.has_fov, "a copy with a field of view that says yes");
    rs_image_copy(&plain, &with, true);
    ok(same_image(&with, &plain), "one that has a field of view gets no second");
    rs_image_free(&image);
    rs_image_free(&plain);
    rs_image_free(&with);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    test_meta();
    test_meta_long();
    test_canonical();
    test_round_trip();
    test_records_end_to_end();
    test_cut_record();
    test_malformed_headers();
    test_lawful_headers();
    test_order_of_arrays();
    test_header_lengths();
    test_record_write_errors();
    test_tensor_errors();
    for (int i = 0; i < 4; i++)
        test_tensor_round_trip(i & 1, i & 2);
    test_tensor_read();
    test_tensor_read_errors();
    test_tensor_read_large();
    test_tensor_differ();
    test_tensor_torn_by_device();
    test_tensor_write_errors();
    test_all_kinds();
    test_read_kinds();
    test_read_errors();
    for (int width = 4095; width <= 4097; width++)
        test_wide(width);
    test_wide(12289);
    test_unwritable();
    test_long_table();
    test_oversized();
    test_long_lines();
    test_long_type();
    test_long_comment("P5 1 1 ", "255\na");
    test_long_comment("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\n", "ENDHDR\na");
    test_images_end_to_end();
    test_image_write_errors();
    test_read_fails();
    test_read_fails_within();
    test_tensor_read_fails();
    test_planes();
    test_copy();
    return done();
}
