#include "command/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct group_input {
    const command_group *group;
    void *context;
    const command *chosen;
    int first; /* index of the command's name in argv */
} group_input;

static const command *find_command(const command_group *group, const char *name)
{
    for (size_t i = 0; i < group->count; i++) {
        if (strcmp(group->commands[i].name, name) == 0) {
            return &group->commands[i];
        }
    }
    return NULL;
}

/* Asks for a command. A word that is not a command is not repeated, since it may be a key. */
static void ask_for_command(const struct argp_state *state, const command_group *group,
                            const char *problem)
{
    char names[128] = "";
    size_t len = 0;

    for (size_t i = 0; i < group->count; i++) {
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", i > 0 ? ", " : "",
                                group->commands[i].name);
    }
    cli_usage(state, "%s (%s)", problem, names);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    group_input *input = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        if (input->group->children != NULL) {
            state->child_inputs[0] = input->context;
        }
        return 0;
    case ARGP_KEY_ARG:
        input->chosen = find_command(input->group, arg);
        if (input->chosen == NULL) {
            ask_for_command(state, input->group, "unknown command");
        }
        input->first = state->next - 1;
        state->next = state->argc; /* the remaining arguments belong to the command */
        return 0;
    case ARGP_KEY_NO_ARGS: ask_for_command(state, input->group, "a command is missing"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* Returns the help text of the group: its own text, and one line for each command. */
static char *group_doc(const command_group *group)
{
    char *doc = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&doc, &len);

    if (f == NULL) {
        return NULL;
    }
    fprintf(f, "%s\n\nCommands:\n", group->doc);
    for (size_t i = 0; i < group->count; i++) {
        fprintf(f, "  %-12s %s\n", group->commands[i].name, group->commands[i].summary);
    }
    fprintf(f, "\nEach command has a --help of its own.\v%s", group->end != NULL ? group->end : "");
    return fclose(f) == 0 ? doc : NULL;
}

int run_group(const command_group *group, int argc, char **argv, void *context)
{
    group_input input = { .group = group, .context = context };
    char name[128];
    char *doc = group_doc(group);
    const struct argp argp = {
        .parser = parse,
        .args_doc = "COMMAND [OPTION...]",
        .doc = doc,
        .children = group->children,
    };

    cli_parse(&argp, argc, argv, ARGP_IN_ORDER, &input);
    free(doc);
    (void)snprintf(name, sizeof name, "%s %s", argv[0], input.chosen->name);
    argv[input.first] = name;
    return input.chosen->run(argc - input.first, argv + input.first, context);
}
