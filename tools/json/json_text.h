#ifndef TOOL_JSON_TEXT_H
#define TOOL_JSON_TEXT_H

/**
 * @file
 * JSON as text. JSON that is only passed on or shown must not change, but a parser that converts
 * numbers to double changes them. These functions check a text, find a member in it and format it
 * for people; every number keeps its text.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** The largest number of nested levels that json_text_print can show. */
#define JSON_TEXT_DEPTH_MAX 512

/** A part of a text; no NUL follows it. */
typedef struct json_text {
    const char *ptr; /* NULL: none */
    size_t len;
} json_text;

/** The rules of a check. */
typedef struct json_text_rules {
    unsigned depth_max; /* most nested levels of objects and arrays, at most JSON_TEXT_DEPTH_MAX */
    bool nul;           /* true if a string may contain \u0000 */
    /** Called for each number in order of the text; may be NULL. */
    void (*number)(void *user, json_text number);
    void *user;
} json_text_rules;

/**
 * Returns true if the text is one JSON value (RFC 8259) with optional white space around it. If it
 * is not, ignore the calls of rules->number that were made. Bytes from 0x80 on are not checked; the
 * caller must check whether they are UTF-8.
 */
bool json_text_check(json_text text, const json_text_rules *rules);

/**
 * Finds the next member of an object that json_text_check has accepted; *at must be NULL at first.
 * name includes its quotes. Returns false at the end, and if the text is not an object.
 */
bool json_text_next(json_text object, const char **at, json_text *name, json_text *value);
/** Returns whether the string (with its quotes) is this ASCII text. */
bool json_text_is_name(json_text string, const char *name);

/**
 * Returns the value of a member of an object that json_text_check has accepted: of the last one
 * with that name, as most readers of JSON do. name is ASCII. ptr is NULL if the text is not an
 * object or has no such member.
 */
json_text json_text_member(json_text object, const char *name);

/**
 * Prints a text that json_text_check has accepted, with one member per line and an indent of two
 * spaces. Strings are printed unchanged, including characters that control a terminal. No line end
 * follows.
 */
void json_text_print(FILE *out, json_text text);

#endif
