/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A queue of what is in it at most once: to the end, to the front, out of the
 * middle. Made of hlist, which distributions' kernels do not check at each step as
 * they do struct list_head; that alone costs more than all the rest of a transfer.
 * All zero is an empty one, and a node that is in none.
 */
#ifndef UDMA_FIFO_H
#define UDMA_FIFO_H

#include <linux/list.h>

/**
 * struct udma_fifo - a queue
 * @head: the first
 * @last: the last; only valid when there is a first
 */
struct udma_fifo {
	struct hlist_head head;
	struct hlist_node *last;
};

#define udma_fifo_first(_fifo, _type, _member) \
	hlist_entry_safe((_fifo)->head.first, _type, _member)

static inline bool udma_fifo_empty(const struct udma_fifo *fifo)
{
	return hlist_empty(&fifo->head);
}

/* Whether it is in one. */
static inline bool udma_fifo_has(const struct hlist_node *node)
{
	return !hlist_unhashed(node);
}

static inline void udma_fifo_push(struct udma_fifo *fifo, struct hlist_node *node)
{
	if (udma_fifo_empty(fifo))
		hlist_add_head(node, &fifo->head);
	else
		hlist_add_behind(node, fifo->last);
	fifo->last = node;
}

static inline void udma_fifo_push_front(struct udma_fifo *fifo, struct hlist_node *node)
{
	if (udma_fifo_empty(fifo))
		fifo->last = node;
	hlist_add_head(node, &fifo->head);
}

/* Take the first out. */
static inline void udma_fifo_pop(struct udma_fifo *fifo)
{
	struct hlist_node *node = fifo->head.first, *next = node->next;

	fifo->head.first = next;
	if (next)
		next->pprev = &fifo->head.first;
	INIT_HLIST_NODE(node);
}

/* It may be in none. */
static inline void udma_fifo_remove(struct udma_fifo *fifo, struct hlist_node *node)
{
	if (!udma_fifo_has(node))
		return;
	/* Where it is the first as well nobody looks. */
	if (fifo->last == node)
		fifo->last = container_of(node->pprev, struct hlist_node, next);
	hlist_del_init(node);
}

#endif /* UDMA_FIFO_H */
