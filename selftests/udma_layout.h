/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The layout of every structure of <linux/udma.h>, as numbers. It is fixed for
 * ever and the same for 32-bit and 64-bit programs: the numbers are not
 * derived from the header, and a compiler for either kind of program checks
 * them, without a C library.
 */
#ifndef UDMA_LAYOUT_H
#define UDMA_LAYOUT_H

/* With no hole in a structure, offsets and its size say all. */
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"
#include <linux/udma.h>
#pragma GCC diagnostic pop

/* An array that cannot be declared where it is not so. */
#define LAYOUT(_is, _is_to_be)						\
	extern const char layout_has_changed[(_is) == (_is_to_be) ? 1 : -1]

#define LAYOUT_AT(_type, _member, _offset)				\
	LAYOUT(__builtin_offsetof(_type, _member), _offset)

LAYOUT_AT(struct udma_info, size, 0);
LAYOUT_AT(struct udma_info, flags, 4);
LAYOUT_AT(struct udma_info, out_capabilities, 8);
LAYOUT_AT(struct udma_info, out_max_bytes, 16);
LAYOUT_AT(struct udma_info, out_max_segment_bytes, 24);
LAYOUT_AT(struct udma_info, out_max_buffers, 32);
LAYOUT_AT(struct udma_info, out_max_transfers, 36);
LAYOUT_AT(struct udma_info, out_copy_align, 40);
LAYOUT_AT(struct udma_info, out_fill_align, 44);
LAYOUT_AT(struct udma_info, out_request_bytes, 48);
LAYOUT_AT(struct udma_info, out_event_bytes, 52);
LAYOUT_AT(struct udma_info, out_name, 56);
LAYOUT_AT(struct udma_info, out_channel, 88);
LAYOUT_AT(struct udma_info, out_device, 120);
LAYOUT_AT(struct udma_info, out_driver, 184);
LAYOUT_AT(struct udma_info, out_state, 216);
LAYOUT_AT(struct udma_info, out_stall_ms, 220);
LAYOUT_AT(struct udma_info, out_timeout_ns, 224);
LAYOUT_AT(struct udma_info, out_max_queue_entries, 232);
LAYOUT_AT(struct udma_info, out_direction, 236);
LAYOUT_AT(struct udma_info, out_directions, 240);
LAYOUT_AT(struct udma_info, out_residue, 244);
LAYOUT_AT(struct udma_info, out_widths, 248);
LAYOUT_AT(struct udma_info, out_max_burst, 252);
LAYOUT_AT(struct udma_info, out_width, 256);
LAYOUT_AT(struct udma_info, out_burst, 260);
LAYOUT_AT(struct udma_info, out_window, 264);
LAYOUT_AT(struct udma_info, out_max_ranges, 268);
LAYOUT_AT(struct udma_info, out_max_periods, 272);
LAYOUT_AT(struct udma_info, out_min_period_bytes, 276);
LAYOUT(sizeof(struct udma_info), 280);

LAYOUT_AT(struct udma_buffer_alloc, size, 0);
LAYOUT_AT(struct udma_buffer_alloc, flags, 4);
LAYOUT_AT(struct udma_buffer_alloc, memory, 8);
LAYOUT_AT(struct udma_buffer_alloc, out_handle, 12);
LAYOUT_AT(struct udma_buffer_alloc, bytes, 16);
LAYOUT_AT(struct udma_buffer_alloc, out_mmap_offset, 24);
LAYOUT_AT(struct udma_buffer_alloc, out_map_bytes, 32);
LAYOUT_AT(struct udma_buffer_alloc, out_caching, 40);
LAYOUT_AT(struct udma_buffer_alloc, __reserved, 44);
LAYOUT(sizeof(struct udma_buffer_alloc), 48);

LAYOUT_AT(struct udma_buffer_free, size, 0);
LAYOUT_AT(struct udma_buffer_free, flags, 4);
LAYOUT_AT(struct udma_buffer_free, handle, 8);
LAYOUT_AT(struct udma_buffer_free, __reserved, 12);
LAYOUT(sizeof(struct udma_buffer_free), 16);

LAYOUT_AT(struct udma_request, op, 0);
LAYOUT_AT(struct udma_request, flags, 4);
LAYOUT_AT(struct udma_request, user_data, 8);
LAYOUT_AT(struct udma_request, dst_handle, 16);
LAYOUT_AT(struct udma_request, src_handle, 20);
LAYOUT_AT(struct udma_request, dst_offset, 24);
LAYOUT_AT(struct udma_request, src_offset, 32);
LAYOUT_AT(struct udma_request, bytes, 40);
LAYOUT_AT(struct udma_request, fill, 48);
LAYOUT_AT(struct udma_request, dst_count, 16);
LAYOUT_AT(struct udma_request, src_count, 20);
LAYOUT_AT(struct udma_request, dst_ranges, 24);
LAYOUT_AT(struct udma_request, src_ranges, 32);
LAYOUT_AT(struct udma_request, line_bytes, 40);
LAYOUT_AT(struct udma_request, lines, 44);
LAYOUT_AT(struct udma_request, dst_stride, 48);
LAYOUT_AT(struct udma_request, src_stride, 52);
LAYOUT_AT(struct udma_request, timeout_ns, 56);
LAYOUT(sizeof(struct udma_request), 64);

LAYOUT_AT(struct udma_range, handle, 0);
LAYOUT_AT(struct udma_range, __reserved, 4);
LAYOUT_AT(struct udma_range, offset, 8);
LAYOUT_AT(struct udma_range, bytes, 16);
LAYOUT(sizeof(struct udma_range), 24);

LAYOUT_AT(struct udma_submit, size, 0);
LAYOUT_AT(struct udma_submit, flags, 4);
LAYOUT_AT(struct udma_submit, requests, 8);
LAYOUT_AT(struct udma_submit, count, 16);
LAYOUT_AT(struct udma_submit, request_bytes, 20);
LAYOUT_AT(struct udma_submit, out_sequence, 24);
LAYOUT(sizeof(struct udma_submit), 32);

LAYOUT_AT(struct udma_cancel, size, 0);
LAYOUT_AT(struct udma_cancel, flags, 4);
LAYOUT_AT(struct udma_cancel, sequence, 8);
LAYOUT(sizeof(struct udma_cancel), 16);

LAYOUT_AT(struct udma_eventfd, size, 0);
LAYOUT_AT(struct udma_eventfd, flags, 4);
LAYOUT_AT(struct udma_eventfd, fd, 8);
LAYOUT_AT(struct udma_eventfd, __reserved, 12);
LAYOUT(sizeof(struct udma_eventfd), 16);

LAYOUT_AT(struct udma_queue_setup, size, 0);
LAYOUT_AT(struct udma_queue_setup, flags, 4);
LAYOUT_AT(struct udma_queue_setup, submit_entries, 8);
LAYOUT_AT(struct udma_queue_setup, complete_entries, 12);
LAYOUT_AT(struct udma_queue_setup, request_bytes, 16);
LAYOUT_AT(struct udma_queue_setup, __reserved, 20);
LAYOUT_AT(struct udma_queue_setup, out_mmap_offset, 24);
LAYOUT_AT(struct udma_queue_setup, out_map_bytes, 32);
LAYOUT_AT(struct udma_queue_setup, out_submit_offset, 40);
LAYOUT_AT(struct udma_queue_setup, out_complete_offset, 44);
LAYOUT(sizeof(struct udma_queue_setup), 48);

LAYOUT_AT(struct udma_queue_shared, submit_tail, 0);
LAYOUT_AT(struct udma_queue_shared, submit_head, 64);
LAYOUT_AT(struct udma_queue_shared, complete_tail, 128);
LAYOUT_AT(struct udma_queue_shared, state, 132);
LAYOUT_AT(struct udma_queue_shared, complete_head, 192);
LAYOUT(sizeof(struct udma_queue_shared), 256);

LAYOUT_AT(struct udma_enter, size, 0);
LAYOUT_AT(struct udma_enter, flags, 4);
LAYOUT_AT(struct udma_enter, submit, 8);
LAYOUT_AT(struct udma_enter, complete, 12);
LAYOUT_AT(struct udma_enter, timeout_ns, 16);
LAYOUT_AT(struct udma_enter, busy_ns, 24);
LAYOUT(sizeof(struct udma_enter), 32);

LAYOUT_AT(struct udma_stream_start, size, 0);
LAYOUT_AT(struct udma_stream_start, flags, 4);
LAYOUT_AT(struct udma_stream_start, type, 8);
LAYOUT_AT(struct udma_stream_start, handle, 12);
LAYOUT_AT(struct udma_stream_start, offset, 16);
LAYOUT_AT(struct udma_stream_start, bytes, 24);
LAYOUT_AT(struct udma_stream_start, period_bytes, 32);
LAYOUT_AT(struct udma_stream_start, event_periods, 40);
LAYOUT_AT(struct udma_stream_start, __reserved, 44);
LAYOUT_AT(struct udma_stream_start, filled_bytes, 48);
LAYOUT_AT(struct udma_stream_start, idle_ns, 56);
LAYOUT_AT(struct udma_stream_start, user_data, 64);
LAYOUT_AT(struct udma_stream_start, out_sequence, 72);
LAYOUT_AT(struct udma_stream_start, out_mmap_offset, 80);
LAYOUT_AT(struct udma_stream_start, out_map_bytes, 88);
LAYOUT_AT(struct udma_stream_start, out_first_count, 92);
LAYOUT(sizeof(struct udma_stream_start), 96);

LAYOUT_AT(struct udma_stream_shared, hw_position, 0);
LAYOUT_AT(struct udma_stream_shared, state, 4);
LAYOUT_AT(struct udma_stream_shared, lost, 8);
LAYOUT_AT(struct udma_stream_shared, lost_high, 12);
LAYOUT_AT(struct udma_stream_shared, overruns, 16);
LAYOUT_AT(struct udma_stream_shared, app_position, 64);
LAYOUT(sizeof(struct udma_stream_shared), 128);

LAYOUT_AT(struct udma_stream_control, size, 0);
LAYOUT_AT(struct udma_stream_control, flags, 4);
LAYOUT_AT(struct udma_stream_control, command, 8);
LAYOUT_AT(struct udma_stream_control, __reserved, 12);
LAYOUT_AT(struct udma_stream_control, position, 16);
LAYOUT_AT(struct udma_stream_control, sequence, 24);
LAYOUT(sizeof(struct udma_stream_control), 32);

LAYOUT_AT(struct udma_event, user_data, 0);
LAYOUT_AT(struct udma_event, sequence, 8);
LAYOUT_AT(struct udma_event, timestamp_ns, 16);
LAYOUT_AT(struct udma_event, bytes, 24);
LAYOUT_AT(struct udma_event, status, 32);
LAYOUT_AT(struct udma_event, flags, 36);
LAYOUT_AT(struct udma_event, type, 40);
LAYOUT_AT(struct udma_event, count, 44);
LAYOUT_AT(struct udma_event, position, 48);
LAYOUT_AT(struct udma_event, lost, 56);
LAYOUT(sizeof(struct udma_event), 64);

LAYOUT(UDMA_INFO, 0xda00);
LAYOUT(UDMA_BUFFER_ALLOC, 0xda10);
LAYOUT(UDMA_BUFFER_FREE, 0xda11);
LAYOUT(UDMA_SUBMIT, 0xda20);
LAYOUT(UDMA_CANCEL, 0xda21);
LAYOUT(UDMA_EVENTFD, 0xda30);
LAYOUT(UDMA_QUEUE_SETUP, 0xda40);
LAYOUT(UDMA_ENTER, 0xda41);
LAYOUT(UDMA_STREAM_START, 0xda50);
LAYOUT(UDMA_STREAM_CONTROL, 0xda51);
LAYOUT(UDMA_CAP_COPY, 0x1);
LAYOUT(UDMA_CAP_FILL, 0x2);
LAYOUT(UDMA_CAP_COHERENT, 0x4);
LAYOUT(UDMA_CAP_INTERLEAVE, 0x8);
LAYOUT(UDMA_CAP_MEM_TO_DEV, 0x10);
LAYOUT(UDMA_CAP_DEV_TO_MEM, 0x20);
LAYOUT(UDMA_CAP_CYCLIC, 0x40);
LAYOUT(UDMA_CAP_PAUSE, 0x80);
LAYOUT(UDMA_DIRECTION_MEM_TO_MEM, 0);
LAYOUT(UDMA_DIRECTION_MEM_TO_DEV, 1);
LAYOUT(UDMA_DIRECTION_DEV_TO_MEM, 2);
LAYOUT(UDMA_DIRECTION_NONE, 4);
LAYOUT(UDMA_RESIDUE_DESCRIPTOR, 0);
LAYOUT(UDMA_RESIDUE_SEGMENT, 1);
LAYOUT(UDMA_RESIDUE_BURST, 2);
LAYOUT(UDMA_STATE_WORKING, 0);
LAYOUT(UDMA_STATE_RESETTING, 1);
LAYOUT(UDMA_STATE_FAILED, 2);
LAYOUT(UDMA_TIMEOUT_NEVER, 0xffffffffffffffffULL);
LAYOUT(UDMA_CANCEL_F_ALL, 0x1);
LAYOUT(UDMA_MEMORY_COHERENT, 0);
LAYOUT(UDMA_CACHING_CACHED, 0);
LAYOUT(UDMA_CACHING_UNCACHED, 1);
LAYOUT(UDMA_OP_COPY, 0);
LAYOUT(UDMA_OP_FILL, 1);
LAYOUT(UDMA_OP_INTERLEAVE, 2);
LAYOUT(UDMA_OP_MEM_TO_DEV, 3);
LAYOUT(UDMA_OP_DEV_TO_MEM, 4);
LAYOUT(UDMA_REQUEST_F_FENCE, 0x1);
LAYOUT(UDMA_REQUEST_F_MORE, 0x2);
LAYOUT(UDMA_REQUEST_F_DST_RANGES, 0x4);
LAYOUT(UDMA_REQUEST_F_SRC_RANGES, 0x8);
LAYOUT(UDMA_STREAM_CYCLIC, 0);
LAYOUT(UDMA_STREAM_PACKETS, 1);
LAYOUT(UDMA_STREAM_F_STOP, 0x1);
LAYOUT(UDMA_STREAM_S_RUNNING, 0x1);
LAYOUT(UDMA_STREAM_S_PAUSED, 0x2);
LAYOUT(UDMA_STREAM_S_STARVED, 0x4);
LAYOUT(UDMA_STREAM_STOP, 0);
LAYOUT(UDMA_STREAM_DRAIN, 1);
LAYOUT(UDMA_STREAM_PAUSE, 2);
LAYOUT(UDMA_STREAM_RESUME, 3);
LAYOUT(UDMA_STREAM_ADVANCE, 4);
LAYOUT(UDMA_QUEUE_S_CLOSED, 0x1);
LAYOUT(UDMA_EVENT_TRANSFER, 0);
LAYOUT(UDMA_EVENT_STREAM, 1);
LAYOUT(UDMA_EVENT_PACKET, 2);
LAYOUT(UDMA_EVENT_F_EXACT, 0x1);
LAYOUT(UDMA_EVENT_F_HELD, 0x2);
LAYOUT(UDMA_EVENT_F_SHORT, 0x4);
LAYOUT(UDMA_EVENT_F_OVERRUN, 0x8);
LAYOUT(UDMA_EVENT_F_IDLE, 0x10);
LAYOUT(UDMA_EVENT_F_LAST, 0x20);
LAYOUT(UDMA_EVENT_F_RESET, 0x40);

#endif /* UDMA_LAYOUT_H */
