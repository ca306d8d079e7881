/* Control characters: whoever wrote a text that we show may have meant them for the terminal that it is shown on. */
#ifndef RS_BASE_CONTROL_H
#define RS_BASE_CONTROL_H

/* How many bytes the control character at `text` has: 1 for those of ASCII, 2 for U+0080 to U+009F in UTF-8, which
 * terminals obey, too (ECMA-48); 0 if there is none, or the text ends. */
int rs_control_bytes(const char *text);

/* Makes a '?' of each. */
void rs_control_hide(char *text);

#endif
