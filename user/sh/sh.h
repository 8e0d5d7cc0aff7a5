/*
 * What the parts of the shell share. The parts: parse.c turns text into a tree, expand.c turns the
 * words of the tree into arguments, exec.c runs the tree, builtin.c has the commands that must run
 * inside the shell, vars.c keeps the variables.
 */
#ifndef _SH_H
#define _SH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A growing string. Always terminated once something has been added. */
struct text {
	char	*data;
	size_t	length, room;
};

void text_add(struct text *text, const char *s, size_t length);
void text_char(struct text *text, char c);

/* A growing list of strings it does not own, NULL-terminated. */
struct list {
	char	**item;
	size_t	count, room;
};

void list_add(struct list *list, char *item);

/* The tree. Nodes and words live until tree_free; nothing in it is shared. */

enum node_type {
	NODE_SIMPLE,		/* assignments, words, redirections */
	NODE_PIPE,		/* left | right */
	NODE_AND, NODE_OR,	/* left && right, left || right */
	NODE_SEQUENCE,		/* left ; right (either may be NULL) */
	NODE_BACKGROUND,	/* left & */
	NODE_NOT,		/* ! left */
	NODE_TIME,		/* time left (left may be NULL) */
	NODE_SUBSHELL,		/* ( left ) */
	NODE_GROUP,		/* { left } */
	NODE_IF,		/* if left then right else other */
	NODE_WHILE,		/* while left do right; `negate` makes it until */
	NODE_FOR,		/* for name in words do right */
};

enum redirect_type { REDIRECT_IN, REDIRECT_OUT, REDIRECT_APPEND, REDIRECT_DUP };

struct redirect {
	enum redirect_type	type;
	int			fd;
	char			*word;		/* raw: the file, or for DUP a descriptor or '-' */
	struct redirect		*next;
};

struct node {
	enum node_type	type;
	struct node	*left, *right, *other;
	struct list	assignments;		/* raw "name=value" words */
	struct list	words;			/* raw words, quotes and all */
	struct redirect	*redirects;
	char		*name;			/* for's variable */
	bool		negate;
	bool		has_in;			/* for has an explicit list */
};

/* Where the parser's text comes from. */
struct source {
	/*
	 * The next line with its newline, or NULL at the end; continued says a construct is open.
	 */
	char	*(*next_line)(struct source *source, bool continued);
	int	fd;				/* for reading lines from a file */
	char	*string;			/* or from a string */
	char	*line;				/* the current line, freed by the parser */
	size_t	at;
	bool	at_end;
	bool cancelled; /* Ctrl-C inside a construct: give up on it silently */
	char buf[512];	/* read ahead, only if the descriptor is ours alone */
	size_t	buf_at, buf_end;
	bool	interactive;
};

enum parse_status { PARSE_OK, PARSE_EOF, PARSE_ERROR };

/*
 * Read one complete command line (up to a newline outside every construct). PARSE_OK with *tree
 * NULL for an empty line; on PARSE_ERROR a message has been printed and the line discarded.
 */
enum parse_status parse_line(struct source *source, struct node **tree);
void tree_free(struct node *node);

/* Whether s[0..length) can be a variable's name. */
bool is_name(const char *s, size_t length);

/*
 * The end of the expansion that starts behind the '$' before s, or NULL if its ${ or $( stays open.
 */
const char *dollar_end(const char *s);

/*
 * Expand one raw word to any number of fresh strings appended to out. False on an error (printed).
 */
bool expand_word(const char *raw, struct list *out);
bool expand_words(const struct list *raw, struct list *out);
/* The same without field splitting and globbing: a fresh string, or NULL on an error (printed). */
char *expand_string(const char *raw);
void list_free_items(struct list *list);

/* variables */
void vars_init(char **envp);
const char *var_get(const char *name);			/* NULL if unset */
void var_set(const char *name, const char *value);
void var_assign(const char *assignment);		/* "name=value" */
void var_export(const char *name);
void var_unset(const char *name);
void vars_print_exported(void);
char **vars_environment(void);				/* a fresh array for execve */

/* running */
int run(struct node *node);				/* the exit status */
int run_source(struct source *source);			/* until its end */
int run_string(const char *string);
int wait_background(pid_t pid);				/* 0: all of them */
bool redirect_all(struct redirect *redirects, bool keep);	/* false on an error (printed) */

/* A command that runs in the shell itself. */
typedef int builtin_fn(int argc, char **argv);
builtin_fn *find_builtin(const char *name);
builtin_fn builtin_test;

struct shell {
	int		status;			/* $? */
	pid_t		pid;			/* $$ */
	pid_t		last_background;	/* $! */
	const char	*name;			/* $0 */
	char		**arguments;		/* $1... */
	int		argument_count;		/* $# */
	bool job_control; /* interactive on a terminal: a group for each pipeline */
	bool		exit_on_error;		/* set -e */
	bool		trace;			/* set -x */
	int		loop_depth;
	int		break_count;		/* loops still to leave */
	bool		continuing;		/* the last of them goes on with its next round */
};

extern struct shell shell;
/* Set by SIGINT in an interactive shell; everything running in the shell unwinds to the prompt. */
extern volatile int interrupted;

/* Default signal actions for a child that is about to run something. */
void reset_signals(void);
/* Run in a fresh child of the shell: forget that it is interactive. */
void enter_subshell(void);

#endif
