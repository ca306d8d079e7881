/* A tool's options, told from its tables: for people, and for programs that complete command lines. */
#ifndef RS_CLI_HELP_H
#define RS_CLI_HELP_H

#include "cli/tool.h"

/* Usage, purpose and a line or two an option, on stdout. `tables` end with NULL, each with an option of no name. */
void rs_help_show(const struct rs_tool *tool, struct rs_option *const *tables);

/* The same as TSV with a header line: option, kind (flag, number, text, choice, input, output), argument, help. */
void rs_help_list(struct rs_option *const *tables);

#endif
