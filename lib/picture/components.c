#include "picture/components.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* A run as a member of a set. `size` and `strong` are those of the set where the run is its root. */
struct member {
    uint32_t parent;
    uint32_t size : 31, strong : 1;
};

struct run {
    int from, to; /* [from, to) */
    uint32_t member;
};

struct rs_components {
    int width;
    size_t count, room; /* members */
    struct member *members;
    struct run *row, *above; /* the runs of this row and the last one */
    int above_count;
    size_t next; /* the member that the second pass meets next */
};

struct rs_components *rs_components_start(int width)
{
    struct rs_components *c = rs_alloc(1, sizeof *c);
    c->width = width;
    c->row = rs_alloc((size_t)width / 2 + 1, sizeof *c->row);
    c->above = rs_alloc((size_t)width / 2 + 1, sizeof *c->above);
    return c;
}

void rs_components_free(struct rs_components *c)
{
    if (!c)
        return;
    free(c->members);
    free(c->row);
    free(c->above);
    free(c);
}

/* The root of a member's set; the way there becomes half as long. */
static uint32_t root_of(struct member *members, uint32_t at)
{
    while (members[at].parent != at) {
        members[at].parent = members[members[at].parent].parent;
        at = members[at].parent;
    }
    return at;
}

static void unite(struct member *members, uint32_t a, uint32_t b)
{
    a = root_of(members, a);
    b = root_of(members, b);
    if (a == b)
        return;
    uint32_t root = members[a].size >= members[b].size ? a : b, leaf = root == a ? b : a;
    members[leaf].parent = root;
    members[root].size = members[root].size + members[leaf].size;
    members[root].strong |= members[leaf].strong;
}

static uint32_t new_member(struct rs_components *c, uint32_t size, bool strong)
{
    if (c->count == c->room) {
        c->room = c->room + c->room / 2 + 1024;
        c->members = rs_realloc(c->members, c->room, sizeof *c->members);
    }
    uint32_t number = (uint32_t)c->count++;
    c->members[number] = (struct member){.parent = number, .size = size, .strong = strong};
    return number;
}

/* The next run from `at` on; false if there is none. */
static bool next_run(const uint8_t *marks, int width, int at, struct run *run, bool *strong)
{
    while (at < width && marks[at] == RS_UNMARKED)
        at++;
    run->from = at;
    for (*strong = false; at < width && marks[at] != RS_UNMARKED; at++)
        *strong |= marks[at] == RS_STRONG;
    run->to = at;
    return run->from < run->to;
}

/* Unites a run with those above that touch it, be it at a corner; returns the first that may touch the next run. */
static int join(struct rs_components *c, const struct run *run, int above)
{
    while (above < c->above_count && c->above[above].to < run->from)
        above++;
    for (int i = above; i < c->above_count && c->above[i].from <= run->to; i++)
        unite(c->members, run->member, c->above[i].member);
    return above;
}

void rs_components_add(struct rs_components *c, const uint8_t *marks)
{
    int count = 0, above = 0;
    bool strong;
    struct run run = {0};
    for (; next_run(marks, c->width, run.to, &run, &strong); count++) {
        run.member = new_member(c, (uint32_t)(run.to - run.from), strong);
        above = join(c, &run, above);
        c->row[count] = run;
    }
    struct run *row = c->above;
    c->above = c->row;
    c->row = row;
    c->above_count = count;
}

void rs_components_keep(struct rs_components *c, uint8_t *marks, uint32_t least)
{
    bool strong;
    struct run run = {0};
    while (next_run(marks, c->width, run.to, &run, &strong)) {
        const struct member *set = &c->members[root_of(c->members, (uint32_t)c->next++)];
        if (set->size < least || !set->strong)
            memset(marks + run.from, RS_UNMARKED, (size_t)(run.to - run.from));
    }
}
