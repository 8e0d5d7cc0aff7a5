/* The shell's variables: a list, because there are few. */
#include "sh.h"

#include <prog.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct variable {
	char		*name;
	char		*value;			/* NULL: exported but not set */
	bool		exported;
	struct variable	*next;
};

static struct variable *variables;

static struct variable *find(const char *name, size_t length)
{
	for (struct variable *var = variables; var; var = var->next)
		if (!strncmp(var->name, name, length) && !var->name[length])
			return var;
	return NULL;
}

static struct variable *find_or_add(const char *name, size_t length)
{
	struct variable *var = find(name, length);

	if (var)
		return var;
	var = xmalloc(sizeof(*var));
	var->name = xmalloc(length + 1);
	memcpy(var->name, name, length);
	var->name[length] = '\0';
	var->value = NULL;
	var->exported = false;
	var->next = variables;
	variables = var;
	return var;
}

static void set(const char *name, size_t length, const char *value)
{
	struct variable *var = find_or_add(name, length);
	char *copy = xstrdup(value);

	free(var->value);
	var->value = copy;
}

void vars_init(char **envp)
{
	for (; *envp; envp++) {
		size_t length = strcspn(*envp, "=");

		if ((*envp)[length] != '=' || !is_name(*envp, length))
			continue;
		var_assign(*envp);
		find(*envp, length)->exported = true;
	}
}

const char *var_get(const char *name)
{
	struct variable *var = find(name, strlen(name));

	return var ? var->value : NULL;
}

void var_set(const char *name, const char *value)
{
	set(name, strlen(name), value);
}

void var_assign(const char *assignment)
{
	size_t length = strcspn(assignment, "=");

	set(assignment, length, assignment + length + 1);
}

void var_export(const char *name)
{
	find_or_add(name, strlen(name))->exported = true;
}

void var_unset(const char *name)
{
	for (struct variable **link = &variables; *link; link = &(*link)->next) {
		struct variable *var = *link;

		if (strcmp(var->name, name))
			continue;
		*link = var->next;
		free(var->name);
		free(var->value);
		free(var);
		return;
	}
}

void vars_print_exported(void)
{
	for (struct variable *var = variables; var; var = var->next)
		if (var->exported && var->value)
			printf("export %s='%s'\n", var->name, var->value);
}

char **vars_environment(void)
{
	struct list list = { 0 };

	for (struct variable *var = variables; var; var = var->next) {
		struct text entry = { 0 };

		if (!var->exported || !var->value)
			continue;
		text_add(&entry, var->name, strlen(var->name));
		text_char(&entry, '=');
		text_add(&entry, var->value, strlen(var->value));
		list_add(&list, entry.data);
	}
	list_add(&list, NULL);
	return list.item;
}
