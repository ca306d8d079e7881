#include "cli/help.h"

#include <stdio.h>
#include <string.h>

static void show_option(const struct rs_option *option)
{
    char left[64];
    snprintf(left, sizeof left, "-%s%s%s", option->name, option->argument ? "=" : "",
             option->argument ? option->argument : "");
    if (strlen(left) > 24)
        printf("  %s\n  %-24s %s\n", left, "", option->help);
    else
        printf("  %-24s %s\n", left, option->help);
}

void rs_help_show(const struct rs_tool *tool, struct rs_option *const *tables)
{
    printf("usage: %s [options]%s%s\n%s\n\n", tool->name, tool->operands ? " " : "",
           tool->operands ? tool->operands : "", tool->purpose);
    for (; *tables; tables++)
        for (const struct rs_option *o = *tables; o->name; o++)
            show_option(o);
}

void rs_help_list(struct rs_option *const *tables)
{
    static const char *const kinds[] = {
        [RS_FLAG] = "flag",     [RS_NEGATED] = "flag", [RS_INT] = "number",    [RS_REAL] = "number",
        [RS_PAIR] = "text",     [RS_TEXT] = "text",    [RS_CHOICE] = "choice", [RS_INPUT] = "input",
        [RS_OUTPUT] = "output", [RS_MODEL] = "input"};
    puts("option\tkind\targument\thelp");
    for (; *tables; tables++)
        for (const struct rs_option *o = *tables; o->name; o++)
            printf("%s\t%s\t%s\t%s\n", o->name, kinds[o->kind], o->argument ? o->argument : "", o->help);
}
