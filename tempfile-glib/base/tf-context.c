/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tf-context.h"

typedef struct
{
  GMainContext *context; /* (unowned) (nullable): the default one */
  int           priority;
} Client;

static GPrivate client_of_thread = G_PRIVATE_INIT (g_free);

/* From now on this thread works for whoever iterates @context, NULL being the default one. What is told
 * meanwhile comes before what is told with the same priority later. */
void
tf_context_begin (GMainContext *context,
                  int           priority)
{
  Client *client = g_new (Client, 1);

  *client = (Client) { .context = context, .priority = priority };
  g_private_replace (&client_of_thread, client);
}

void
tf_context_end (void)
{
  g_private_replace (&client_of_thread, NULL);
}

/* Calls @func once: where the one is whom this thread works for, or at once if it works for itself. */
void
tf_context_invoke (GSourceFunc    func,
                   gpointer       data,
                   GDestroyNotify destroy)
{
  const Client *client = g_private_get (&client_of_thread);
  g_autoptr(GSource) source = NULL;

  if (client == NULL)
    {
      func (data);
      destroy (data);
      return;
    }

  source = g_idle_source_new ();
  g_source_set_static_name (source, "[tempfile-glib] tf_context_invoke");
  g_source_set_priority (source, client->priority);
  g_source_set_callback (source, func, data, destroy);
  g_source_attach (source, client->context);
}
