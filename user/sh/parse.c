/*
 * The shell's grammar, by recursive descent.
 *
 *	line     : [list] NEWLINE
 *	list     : and_or ((';' | '&' | NEWLINE) and_or)* [';' | '&']
 *	and_or   : pipeline (('&&' | '||') NEWLINE* pipeline)*
 *	pipeline : ['!'] ['time'] command ('|' NEWLINE* command)*
 *	command  : '(' list ')' | '{' list '}' | if | while | until | for | simple, each with redirections
 *
 * There is no separate token list: the parser looks at the current line and asks the source for a
 * further one when a construct is still open. A word stays raw, with its quotes, until it is
 * expanded.
 */
#include "sh.h"

#include <ctype.h>
#include <prog.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct source *src;
static jmp_buf on_error;
static int depth;			/* open constructs: a newline does not end the line */

static const char operators[] = ";&|<>()\n";

static struct node *parse_list(void);
static const char *word_end(const char *p);

void text_add(struct text *text, const char *s, size_t length)
{
	if (text->length + length + 1 > text->room) {
		text->room = (text->length + length + 1) * 2;
		text->data = xrealloc(text->data, text->room);
	}
	memcpy(text->data + text->length, s, length);
	text->length += length;
	text->data[text->length] = '\0';
}

void text_char(struct text *text, char c)
{
	text_add(text, &c, 1);
}

void list_add(struct list *list, char *item)
{
	if (list->count + 2 > list->room) {
		list->room = (list->count + 2) * 2;
		list->item = xrealloc(list->item, list->room * sizeof(*list->item));
	}
	list->item[list->count++] = item;
	list->item[list->count] = NULL;
}

static _Noreturn void syntax_error(const char *what)
{
	if (!src->cancelled)
		fprintf(stderr, "%s: syntax error: %s\n", shell.name, what);
	longjmp(on_error, 1);
}

static _Noreturn void unexpected(void)
{
	const char *p = src->line ? src->line + src->at : "";
	const char *end;
	char message[80];

	if (src->at_end || !*p)
		syntax_error("unexpected end of input");
	if (*p == '\n')
		syntax_error("unexpected end of line");
	if (strchr(operators, *p))
		end = p + 1 + (p[1] == *p);
	else
		end = word_end(p);
	snprintf(message, sizeof(message), "unexpected '%.*s'", end ? (int)(end - p) : 1, p);
	syntax_error(message);
}

/* Replace the line by the next one. False at the end of the input. */
static bool next_line(bool continued)
{
	char *line = src->at_end ? NULL : src->next_line(src, continued);

	free(src->line);
	src->line = line;
	src->at = 0;
	src->at_end = !line;
	return line != NULL;
}

/* An unfinished word takes the next line with it. */
static void append_line(void)
{
	char *more = src->next_line(src, true);
	struct text text = { 0 };

	if (!more) {
		src->at_end = true;
		syntax_error("unterminated quote");
	}
	text_add(&text, src->line, strlen(src->line));
	text_add(&text, more, strlen(more));
	free(more);
	free(src->line);
	src->line = text.data;
}

/*
 * Skip blanks, a comment and joined lines; the character that follows, '\0' at the end of the
 * input.
 */
static char peek(void)
{
	for (;;) {
		const char *p = src->line ? src->line + src->at : "";

		if (isblank((unsigned char)*p)) {
			src->at++;
		} else if (p[0] == '\\' && p[1] == '\n') {
			if (!next_line(true))
				return '\0';
		} else if (*p == '#') {
			src->at += strcspn(p, "\n");
		} else {
			return *p;
		}
	}
}

static bool accept(const char *operator)
{
	size_t length = strlen(operator);

	if (!peek() || strncmp(src->line + src->at, operator, length))
		return false;
	src->at += length;
	return true;
}

static void skip_newlines(void)
{
	for (char c; (c = peek()) == '\n' || c == '\0';)
		if (!next_line(true))
			syntax_error("unexpected end of input");
}

/* quoting: where does a word end? */

static const char *skip_parentheses(const char *p);

const char *dollar_end(const char *p)
{
	if (*p == '(')
		return skip_parentheses(p + 1);
	if (*p != '{')
		return p;
	p++;
	while (p && *p && *p != '}') {
		if (*p == '\\' && p[1])
			p += 2;
		else if (*p == '$')
			p = dollar_end(p + 1);
		else
			p++;
	}
	return p && *p ? p + 1 : NULL;
}

/* p is at a quote or backslash or dollar. Behind what it introduces, or NULL if it is open. */
static const char *skip_quoted(const char *p)
{
	char c = *p++;

	if (c == '\\')
		return *p && strcmp(p, "\n") ? p + 1 : NULL;
	if (c == '$')
		return dollar_end(p);
	if (c == '\'') {
		p = strchr(p, '\'');
		return p ? p + 1 : NULL;
	}
	while (p && *p && *p != '"') {
		if (*p == '\\' && p[1])
			p += 2;
		else if (*p == '$')
			p = dollar_end(p + 1);
		else
			p++;
	}
	return p && *p ? p + 1 : NULL;
}

/* p is behind "$(". Behind the matching ')', or NULL. */
static const char *skip_parentheses(const char *p)
{
	int level = 1;

	while (p && *p) {
		if (strchr("'\"\\$", *p)) {
			p = skip_quoted(p);
			continue;
		}
		if (*p == '(')
			level++;
		else if (*p == ')' && --level == 0)
			return p + 1;
		p++;
	}
	return NULL;
}

/*
 * The end of the word that starts at p (an unquoted blank, operator or the end of the text), or
 * NULL if a quote or ${ or $( in it is still open.
 */
static const char *word_end(const char *p)
{
	while (p && *p && !isblank((unsigned char)*p) && !strchr(operators, *p)) {
		if (strchr("'\"\\$", *p))
			p = skip_quoted(p);
		else
			p++;
	}
	return p;
}

bool is_name(const char *s, size_t length)
{
	if (!length || isdigit((unsigned char)*s))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '_')
			return false;
	return true;
}

static char *parse_word(void)
{
	char c = peek();
	const char *start, *end;
	char *word;

	if (!c || strchr(operators, c))
		unexpected();
	while (!(end = word_end(src->line + src->at)))
		append_line();
	start = src->line + src->at;
	word = xmalloc((size_t)(end - start) + 1);
	memcpy(word, start, (size_t)(end - start));
	word[end - start] = '\0';
	src->at += (size_t)(end - start);
	return word;
}

/* Is the next word exactly this reserved word? Takes it if so. */
static bool accept_word(const char *reserved)
{
	const char *p, *end;

	if (!peek())
		return false;
	p = src->line + src->at;
	end = word_end(p);
	if (!end || (size_t)(end - p) != strlen(reserved) || strncmp(p, reserved, strlen(reserved)))
		return false;
	src->at += strlen(reserved);
	return true;
}

static void expect_word(const char *reserved)
{
	if (!accept_word(reserved))
		unexpected();
}

/* commands */

static struct node *new_node(enum node_type type, struct node *left, struct node *right)
{
	struct node *node = xmalloc(sizeof(*node));

	memset(node, 0, sizeof(*node));
	node->type = type;
	node->left = left;
	node->right = right;
	return node;
}

/* [digits] < > >> <& >& ; at the end of the node's list, because order matters. */
static bool parse_redirect(struct node *node)
{
	struct redirect *redirect, **end = &node->redirects;
	const char *p;
	int fd = -1;

	if (!peek())
		return false;
	p = src->line + src->at;
	if (isdigit((unsigned char)*p) && (p[1] == '<' || p[1] == '>'))
		fd = *p++ - '0';
	if (*p != '<' && *p != '>')
		return false;
	if (p[0] == '<' && p[1] == '<')
		syntax_error("here-documents are not supported");
	redirect = xmalloc(sizeof(*redirect));
	redirect->fd = fd >= 0 ? fd : *p == '>';
	redirect->type = *p == '<' ? REDIRECT_IN : REDIRECT_OUT;
	redirect->next = NULL;
	if (p[1] == '&') {
		redirect->type = REDIRECT_DUP;
		p++;
	} else if (p[0] == '>' && p[1] == '>') {
		redirect->type = REDIRECT_APPEND;
		p++;
	}
	src->at = (size_t)(p + 1 - src->line);
	redirect->word = parse_word();
	while (*end)
		end = &(*end)->next;
	*end = redirect;
	return true;
}

static struct node *parse_simple(void)
{
	struct node *node = new_node(NODE_SIMPLE, NULL, NULL);
	bool any = false;

	for (;;) {
		char c, *word;

		if (parse_redirect(node)) {
			any = true;
			continue;
		}
		c = peek();
		if (!c || strchr(operators, c))
			break;
		word = parse_word();
		any = true;
		if (!node->words.count && strchr(word, '=') &&
		    is_name(word, (size_t)(strchr(word, '=') - word)))
			list_add(&node->assignments, word);
		else
			list_add(&node->words, word);
	}
	if (!any)
		unexpected();
	return node;
}

static struct node *parse_body(const char *end)
{
	struct node *body;

	depth++;
	body = parse_list();
	depth--;
	if (!body)
		unexpected();
	if (end)
		expect_word(end);
	return body;
}

static struct node *parse_if(void)
{
	struct node *node = new_node(NODE_IF, parse_body("then"), parse_body(NULL));

	if (accept_word("elif")) {
		node->other = parse_if();
		return node;
	}
	if (accept_word("else"))
		node->other = parse_body(NULL);
	expect_word("fi");
	return node;
}

static struct node *parse_while(bool until)
{
	struct node *node = new_node(NODE_WHILE, parse_body("do"), parse_body("done"));

	node->negate = until;
	return node;
}

static struct node *parse_for(void)
{
	struct node *node = new_node(NODE_FOR, NULL, NULL);

	node->name = parse_word();
	if (!is_name(node->name, strlen(node->name)))
		syntax_error("bad variable name in for");
	if (accept_word("in")) {
		node->has_in = true;
		for (char c; (c = peek()) && c != ';' && c != '\n';)
			list_add(&node->words, parse_word());
	}
	accept(";");
	skip_newlines();
	expect_word("do");
	node->right = parse_body("done");
	return node;
}

static struct node *parse_command(void)
{
	struct node *node;

	if (accept("(")) {
		depth++;
		node = new_node(NODE_SUBSHELL, parse_list(), NULL);
		depth--;
		if (!node->left || !accept(")"))
			unexpected();
	} else if (accept_word("{")) {
		node = new_node(NODE_GROUP, parse_body("}"), NULL);
	} else if (accept_word("if")) {
		node = parse_if();
	} else if (accept_word("while")) {
		node = parse_while(false);
	} else if (accept_word("until")) {
		node = parse_while(true);
	} else if (accept_word("for")) {
		node = parse_for();
	} else {
		return parse_simple();
	}
	while (parse_redirect(node))
		;
	return node;
}

static struct node *parse_pipeline(void)
{
	struct node *node;

	if (accept_word("!"))
		return new_node(NODE_NOT, parse_pipeline(), NULL);
	if (accept_word("time")) {
		char c = peek();

		return new_node(NODE_TIME, !c || strchr("\n;&|)", c) ? NULL : parse_pipeline(),
				NULL);
	}
	node = parse_command();
	while (peek() == '|' && strncmp(src->line + src->at, "||", 2)) {
		src->at++;
		skip_newlines();
		node = new_node(NODE_PIPE, node, parse_command());
	}
	return node;
}

static struct node *parse_and_or(void)
{
	struct node *node = parse_pipeline();

	for (;;) {
		enum node_type type;

		if (accept("&&"))
			type = NODE_AND;
		else if (accept("||"))
			type = NODE_OR;
		else
			return node;
		skip_newlines();
		node = new_node(type, node, parse_pipeline());
	}
}

static bool at_list_end(void)
{
	static const char *const closers[] = { "then", "else", "elif", "fi", "do", "done", "}" };
	const char *p, *end;
	char c = peek();

	if (!c || c == ')')
		return true;
	if (!depth)
		return false;
	p = src->line + src->at;
	end = word_end(p);
	for (size_t i = 0; end && i < sizeof(closers) / sizeof(*closers); i++)
		if ((size_t)(end - p) == strlen(closers[i]) &&
		    !strncmp(p, closers[i], strlen(closers[i])))
			return true;
	return false;
}

/* Inside a construct newlines separate like ';'; outside, the newline is left for parse_line. */
static struct node *parse_list(void)
{
	struct node *list = NULL;

	for (;;) {
		struct node *node;

		if (depth)
			skip_newlines();
		if (at_list_end() || peek() == '\n')
			return list;
		node = parse_and_or();
		if (peek() == '&' && !accept("&&")) {
			src->at++;
			node = new_node(NODE_BACKGROUND, node, NULL);
		} else if (!accept(";") && peek() != '\n' && !at_list_end()) {
			unexpected();
		}
		list = list ? new_node(NODE_SEQUENCE, list, node) : node;
	}
}

enum parse_status parse_line(struct source *source, struct node **tree)
{
	src = source;
	depth = 0;
	*tree = NULL;
	if (!next_line(false))
		return PARSE_EOF;
	if (setjmp(on_error)) {
		free(src->line);
		src->line = NULL;
		if (src->cancelled)
			src->cancelled = src->at_end = false;
		return PARSE_ERROR;
	}
	*tree = parse_list();
	if (peek() && peek() != '\n')
		unexpected();
	free(src->line);
	src->line = NULL;
	return PARSE_OK;
}

void tree_free(struct node *node)
{
	if (!node)
		return;
	tree_free(node->left);
	tree_free(node->right);
	tree_free(node->other);
	list_free_items(&node->assignments);
	list_free_items(&node->words);
	while (node->redirects) {
		struct redirect *redirect = node->redirects;

		node->redirects = redirect->next;
		free(redirect->word);
		free(redirect);
	}
	free(node->name);
	free(node);
}
