#include "format/pam.h"

#include <ctype.h>
#include <errno.h>
#include <pam.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"

/* libnetpbm reports by printing and leaving the process; here its text is caught and becomes ours. */
static char netpbm_text[512];

static void catch_message(const char *text)
{
    snprintf(netpbm_text, sizeof netpbm_text, "%s", text);
}

static void start_netpbm(void)
{
    static bool started;
    if (started)
        return;
    started = true;
    pm_init(program_invocation_short_name, 0);
    pm_setusererrormsgfn(catch_message);
}

static const char *torn(FILE *stream, const char *where)
{
    if (ferror(stream))
        return rs_error("cannot read: %s", strerror(errno));
    return rs_error("ends in the middle of %s", where);
}

/* Takes the next word of a PNM header and the one character behind it; a comment runs from '#' to the end of
 * its line. */
static const char *pnm_word(FILE *stream, char *word, size_t size)
{
    size_t length = 0;
    for (;;) {
        int c = getc(stream);
        if (c == '#')
            do
                c = getc(stream);
            while (c != '\n' && c != '\r' && c != EOF);
        if (c == EOF)
            return torn(stream, "a header");
        if (c == 0)
            return rs_error("a header with a NUL character");
        if (isspace(c) && length == 0)
            continue;
        if (isspace(c))
            break;
        if (length + 1 == size)
            return rs_error("a header with a word longer than %zu characters", size - 1);
        word[length++] = (char)c;
    }
    word[length] = 0;
    return NULL;
}

/* `value` becomes `text` as a number from 1 to `most`; `name` is for the message. */
static const char *header_number(const char *text, const char *name, int most, int *value)
{
    int64_t number;
    const char *error = rs_parse_int(text, 1, most, &number);
    if (error)
        return rs_error_at(name, error);
    *value = (int)number;
    return NULL;
}

struct header {
    int format, width, height, depth, maxval;
    char kind[256];
};

static const char *read_pnm_header(FILE *stream, struct header *header)
{
    struct {
        const char *name;
        int most, *value;
    } fields[] = {{"width", RS_MAX_PIXELS, &header->width},
                  {"height", RS_MAX_PIXELS, &header->height},
                  {"maxval", 65535, &header->maxval}};
    bool bitmap = header->format == PBM_FORMAT || header->format == RPBM_FORMAT;
    bool color = header->format == PPM_FORMAT || header->format == RPPM_FORMAT;
    header->maxval = 1;
    header->depth = color ? 3 : 1;
    strcpy(header->kind, color ? "RGB" : "GRAYSCALE");
    for (int i = 0; i < (bitmap ? 2 : 3); i++) {
        char word[16];
        const char *error = pnm_word(stream, word, sizeof word);
        if (!error)
            error = header_number(word, fields[i].name, fields[i].most, fields[i].value);
        if (error)
            return error;
    }
    return NULL;
}

/* One line without its newline, leading and trailing blanks taken off; comments may be of any length. */
static const char *pam_line(FILE *stream, char *line, size_t size)
{
    size_t length = 0;
    for (int c; (c = getc(stream)) != '\n';) {
        if (c == EOF)
            return torn(stream, "a header");
        if (c == 0)
            return rs_error("a header with a NUL character");
        if (length == 0 && isspace(c))
            continue;
        if (length + 1 < size)
            line[length++] = (char)c;
        else if (line[0] != '#')
            return rs_error("a header line longer than %zu characters", size - 1);
    }
    while (length && isspace((unsigned char)line[length - 1]))
        length--;
    line[length] = 0;
    return NULL;
}

/* Several TUPLTYPE lines make one type, joined by blanks (pam(5)). */
static const char *add_kind(struct header *header, const char *value)
{
    size_t used = strlen(header->kind);
    int wanted = snprintf(header->kind + used, sizeof header->kind - used, "%s%s", used ? " " : "", value);
    if ((size_t)wanted >= sizeof header->kind - used)
        return rs_error("a TUPLTYPE longer than %zu characters", sizeof header->kind - 1);
    return NULL;
}

static const char *read_pam_header(FILE *stream, struct header *header)
{
    struct {
        const char *name;
        int most, *value;
    } fields[] = {{"WIDTH", RS_MAX_PIXELS, &header->width},
                  {"HEIGHT", RS_MAX_PIXELS, &header->height},
                  {"DEPTH", RS_MAX_PLANES, &header->depth},
                  {"MAXVAL", 65535, &header->maxval}};
    const int count = sizeof fields / sizeof *fields;
    for (;;) {
        char line[256];
        const char *error = pam_line(stream, line, sizeof line);
        if (error)
            return error;
        if (!line[0] || line[0] == '#')
            continue;
        if (!strcmp(line, "ENDHDR"))
            break;
        char *value = line + strcspn(line, " \t");
        if (*value)
            *value++ = 0;
        value += strspn(value, " \t");
        int i = 0;
        while (i < count && strcmp(line, fields[i].name))
            i++;
        if (i < count && *fields[i].value)
            error = rs_error("%s stands twice in a header", line);
        else if (i < count)
            error = header_number(value, line, fields[i].most, fields[i].value);
        else if (!strcmp(line, "TUPLTYPE"))
            error = add_kind(header, value);
        else
            error = rs_error("unknown header line '%s'", line);
        if (error)
            return error;
    }
    for (int i = 0; i < count; i++)
        if (!*fields[i].value)
            return rs_error("a header without %s", fields[i].name);
    return NULL;
}

/* netpbm's BLACKANDWHITE, and a PAM without TUPLTYPE, go by their depth. */
static const char *take_kind(struct rs_image *image, const struct header *header)
{
    const char *kind = header->kind;
    if (!kind[0] || !strcmp(kind, "BLACKANDWHITE"))
        kind = header->depth == 3 ? "RGB" : "GRAYSCALE";
    const char *error = rs_image_parse_kind(image, kind);
    if (!error && rs_image_planes(image) != header->depth)
        error = rs_error("TUPLTYPE %s has %d planes, but DEPTH is %d", kind, rs_image_planes(image),
                         header->depth);
    return error;
}

/* Checks every number of the header; libnetpbm's own reader over-reads on a line of 254 bytes. */
static const char *read_header(FILE *stream, int64_t most, struct header *header, bool *more)
{
    int first = getc(stream);
    *more = first != EOF;
    if (first == EOF)
        return ferror(stream) ? rs_error("cannot read: %s", strerror(errno)) : NULL;
    int second = getc(stream);
    header->format = first << 8 | (second & 0xff);
    if (first != 'P' || second < '1' || second > '7')
        return rs_error("not a PNM or PAM image");
    int third = getc(stream);
    if (third == '#')
        ungetc(third, stream);
    else if (third == EOF || !isspace(third))
        return third == EOF ? torn(stream, "a header") : rs_error("not a PNM or PAM image");
    const char *error =
        header->format == PAM_FORMAT ? read_pam_header(stream, header) : read_pnm_header(stream, header);
    if (error)
        return error;
    if ((int64_t)header->width * header->height > most)
        return rs_error("%d x %d pixels are more than -max-pixels=%jd", header->width, header->height,
                        (intmax_t)most);
    return NULL;
}

static void describe(struct pam *pam, FILE *stream, int format, const struct rs_image *image)
{
    *pam = (struct pam){.size = sizeof *pam,
                        .len = sizeof *pam,
                        .file = stream,
                        .format = format,
                        .width = image->width,
                        .height = image->height,
                        .depth = (unsigned)rs_image_planes(image),
                        .maxval = (sample)image->maxval,
                        .bytes_per_sample = image->maxval > 255 ? 2 : 1};
    pam->visual = format != PAM_FORMAT;
    pam->color_depth = pam->depth;
    rs_image_kind(image, pam->tuple_type);
}

/* Pixels that are read at a time: tuples take up to 48 bytes each. A multiple of 8, for a bitmap's pieces to end
 * with a byte. */
enum { PIECE = 4096 };

/* Room for a piece behind the `count` samples there are, by doubling up to the whole: what a header promises
 * its stream may not bring. */
static void make_room(struct rs_image *image, size_t count)
{
    size_t planes = (size_t)rs_image_planes(image), room = count + PIECE * planes;
    size_t whole = (size_t)image->width * (size_t)image->height * planes;
    if (room <= image->capacity || whole <= image->capacity)
        return;
    room += image->capacity;
    image->capacity = room < whole ? room : whole;
    image->samples = rs_realloc(image->samples, image->capacity, sizeof *image->samples);
}

/* A sample over maxval has not come so far: libnetpbm has refused its row. */
static void take_piece(uint16_t *to, tuple *row, const struct pam *pam)
{
    for (int x = 0; x < pam->width; x++)
        for (unsigned p = 0; p < pam->depth; p++)
            *to++ = (uint16_t)row[x][p];
}

/* A plain image may end its last line with blanks; a raw one ends with its last sample. */
static void skip_blanks(FILE *stream)
{
    int c;
    do
        c = getc(stream);
    while (c != EOF && isspace(c));
    if (c != EOF)
        ungetc(c, stream);
}

/* A row in pieces, as if each were a row by itself. */
static void read_pieces(struct pam *pam, tuple *row, struct rs_image *image)
{
    size_t count = 0;
    for (int y = 0; y < image->height; y++)
        for (int left = image->width; left; left -= pam->width) {
            pam->width = left < PIECE ? left : PIECE;
            pnm_readpamrow(pam, row);
            make_room(image, count);
            take_piece(image->samples + count, row, pam);
            count += (size_t)pam->width * pam->depth;
        }
}

static const char *read_samples(FILE *stream, int format, struct rs_image *image)
{
    struct pam pam;
    tuple *volatile row = NULL;
    jmp_buf back;
    describe(&pam, stream, format, image);
    if (setjmp(back)) {
        pm_setjmpbuf(NULL);
        free(row);
        return feof(stream) || ferror(stream) ? torn(stream, "an image") : rs_error("%s", netpbm_text);
    }
    pm_setjmpbuf(&back);
    pam.width = image->width < PIECE ? image->width : PIECE;
    row = pnm_allocpamrow(&pam);
    read_pieces(&pam, row, image);
    pm_setjmpbuf(NULL);
    free(row);
    return NULL;
}

const char *rs_image_read(FILE *stream, int64_t most, struct rs_image *image, bool *more)
{
    struct header header = {0};
    start_netpbm();
    const char *error = read_header(stream, most, &header, more);
    if (error || !*more)
        return error;
    error = take_kind(image, &header);
    if (error)
        return error;
    image->width = header.width;
    image->height = header.height;
    image->maxval = header.maxval;
    error = read_samples(stream, header.format, image);
    if (!error && (header.format == PBM_FORMAT || header.format == PGM_FORMAT || header.format == PPM_FORMAT))
        skip_blanks(stream);
    return error;
}

/* Samples as they stand in a raw raster; returns how many bytes they are. */
static size_t pack_samples(unsigned char *to, const uint16_t *from, size_t count, int maxval)
{
    if (maxval < 256) {
        for (size_t i = 0; i < count; i++)
            to[i] = (unsigned char)from[i];
        return count;
    }
    for (size_t i = 0; i < count; i++) {
        to[2 * i] = (unsigned char)(from[i] >> 8);
        to[2 * i + 1] = (unsigned char)from[i];
    }
    return 2 * count;
}

/* By itself: to libnetpbm a raster goes as tuples of 32 bits a sample, ten times as slowly. */
static bool write_samples(FILE *stream, const struct rs_image *image)
{
    unsigned char bytes[16 * PIECE];
    const size_t most = sizeof bytes / 2;
    size_t total = (size_t)image->width * (size_t)image->height * (size_t)rs_image_planes(image);
    for (size_t done = 0, count; done < total; done += count) {
        count = total - done < most ? total - done : most;
        size_t size = pack_samples(bytes, image->samples + done, count, image->maxval);
        if (fwrite(bytes, 1, size, stream) != size)
            return false;
    }
    return true;
}

const char *rs_image_write(FILE *stream, const struct rs_image *image)
{
    struct pam pam;
    start_netpbm();
    describe(&pam, stream, rs_image_planes(image) == 1 && !image->is_patch ? RPGM_FORMAT : PAM_FORMAT, image);
    jmp_buf back;
    errno = 0;
    if (setjmp(back)) {
        pm_setjmpbuf(NULL);
        return ferror(stream) ? rs_error_write(errno) : rs_error("%s", netpbm_text);
    }
    pm_setjmpbuf(&back);
    pnm_writepaminit(&pam);
    pm_setjmpbuf(NULL);
    return write_samples(stream, image) && !ferror(stream) ? NULL : rs_error_write(errno);
}
