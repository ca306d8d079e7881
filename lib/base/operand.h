/* The file that an operand names; "-" is standard input. */
#ifndef RS_BASE_OPERAND_H
#define RS_BASE_OPERAND_H

#include <stdbool.h>
#include <stdio.h>

bool rs_operand_is_stdin(const char *path);

FILE *rs_operand_open(const char *path); /* for reading; NULL and errno where it cannot be */
void rs_operand_close(FILE *file);       /* leaves standard input open */

const char *rs_operand_name(const char *path); /* for messages: the path, or "stdin" */

#endif
