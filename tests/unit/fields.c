/*
 * fields.c - fields known from other libraries' models and test bodies, decoded
 * from the bodies of tests/faults.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arena.h"
#include "body.h"
#include "event/catalogue.h"
#include "event/event.h"

/* A body, decoded. */
struct sent {
	char *text;
	struct arena arena;
	const void *typed;
};

static void
fail_of_type(void *arg, const struct decode_place *place, const char *got,
    const char *wanted)
{
	char path[DECODE_PATH_MAX];

	(void)arg;
	decode_path(place, path);
	fail_msg("%s: %s, not %s", path, got, wanted);
}

static void
sent_init(struct sent *sent, const char *path, const char *type)
{
	struct envelope envelope;
	struct vk_json object;
	size_t len, where;

	sent->text = body_read(path, &len);
	assert_non_null(sent->text);
	assert_null(envelope_read(&envelope, sent->text, len, &where));
	object = (struct vk_json){ envelope.object.at, envelope.object.len };
	sent->arena = (struct arena){ .chunks = NULL };
	sent->typed = decode_event(catalogue_type(type, strlen(type)),
	    &object, &sent->arena, fail_of_type, NULL);
	assert_non_null(sent->typed);
}

static void
sent_release(struct sent *sent)
{
	arena_release(&sent->arena);
	free(sent->text);
}

static const struct vk_message *
message_of(struct sent *sent, const char *path)
{
	const struct vk_message_new *new;

	sent_init(sent, path, "message_new");
	new = sent->typed;
	return new->message;
}

static void
a_shared_post_has_an_owner(void **state)
{
	struct sent sent;
	const struct vk_wallpost *post = message_of(&sent,
	    "tests/faults/wall-to_id.json")->attachments[0].wall;

	(void)state;
	assert_int_equal(post->owner_id, -219876543);
	assert_int_equal(post->to_id, -219876543);
	assert_true(post->comments->groups_can_post);
	sent_release(&sent);
}

static void
a_post_has_its_newer_fields(void **state)
{
	const struct vk_wallpost *post;
	struct sent sent;

	(void)state;
	sent_init(&sent, "tests/faults/wallpost-fields.json", "wall_post_new");
	post = sent.typed;
	assert_int_equal(post->owner_id, -219876543);
	assert_int_equal(post->to_id, -219876543);
	assert_int_equal(post->topic_id, 21);
	assert_string_equal(post->type, "post");
	assert_string_equal(post->track_code, "d23");
	assert_true(post->can_archive);
	sent_release(&sent);
}

static void
a_text_has_its_format(void **state)
{
	struct sent sent;
	const struct vk_format_data *format = message_of(&sent,
	    "tests/faults/message-format_data.json")->format_data;

	(void)state;
	assert_string_equal(format->version, "1");
	assert_int_equal(format->n_items, 2);
	assert_string_equal(format->items[0].type, "bold");
	assert_int_equal(format->items[1].offset, 9);
	assert_int_equal(format->items[1].length, 6);
	assert_string_equal(format->items[1].url, "https://example.ru");
	sent_release(&sent);
}

static void
a_text_with_a_nul_is_kept(void **state)
{
	struct sent sent;
	const struct vk_message *message = message_of(&sent,
	    "tests/faults/text-nul.json");

	(void)state;
	assert_string_equal(message->text, "купи\uFFFD дом");
	assert_string_equal(message->payload, "{\"a\":\"\uFFFD\"}");
	sent_release(&sent);
}

static void
money_is_attached(void **state)
{
	struct sent sent;
	const struct vk_message *message = message_of(&sent,
	    "tests/faults/attachment-money.json");
	const struct vk_money_transfer *transfer =
	    message->attachments[0].money_transfer;
	const struct vk_money_request *request =
	    message->attachments[1].money_request;

	(void)state;
	assert_int_equal(transfer->id, 10263042);
	assert_int_equal(transfer->status, 1);
	assert_string_equal(transfer->amount->amount, "30000");
	assert_string_equal(transfer->comment, "за кружку");
	assert_int_equal(request->id, 139);
	assert_int_equal(request->processed, 0);
	assert_string_equal(request->amount->currency->name, "RUB");
	sent_release(&sent);
}

static void
an_item_has_its_rating(void **state)
{
	struct sent sent;
	const struct vk_market_item *item = message_of(&sent,
	    "tests/faults/market-item-rating.json")->attachments[0].market;

	(void)state;
	assert_int_equal(item->orders_count, 12);
	assert_true(item->rating == (double)4.8);
	assert_int_equal(item->item_rating->reviews_count, 3);
	assert_int_equal(item->ad_id, 7);
	assert_int_equal(item->vk_pay_discount, 5);
	assert_int_equal(item->wishlist_item_id, 9);
	assert_string_equal(item->user_agreement_info, "x");
	assert_string_equal(item->owner_info->name, "Мастера");
	assert_string_equal(item->category->section->name, "Дом");
	assert_int_equal(item->availability, 0);
	sent_release(&sent);
}

static void
a_track_has_its_album(void **state)
{
	struct sent sent;
	const struct vk_audio *audio = message_of(&sent,
	    "tests/faults/audio-album.json")->attachments[0].audio;

	(void)state;
	assert_string_equal(audio->album->title, "Весна");
	assert_string_equal(audio->album->thumb->photo_300,
	    "https://sun9-1.userapi.com/t.jpg");
	assert_int_equal(audio->track_genre_id, 14);
	assert_int_equal(audio->content_restricted, 1);
	assert_int_equal(audio->n_featured_artists, 1);
	assert_string_equal(audio->featured_artists[0].name, "Гость");
	sent_release(&sent);
}

static void
a_running_call_can_be_joined(void **state)
{
	struct sent sent;
	const struct vk_call *call = message_of(&sent,
	    "tests/faults/call-join_link.json")->attachments[0]
	    .group_call_in_progress;

	(void)state;
	assert_string_equal(call->join_link, "https://vk.com/call/join/abc");
	sent_release(&sent);
}

static void
settings_have_their_newer_keys(void **state)
{
	const struct vk_group_change_settings *settings;
	struct sent sent;

	(void)state;
	sent_init(&sent, "tests/faults/settings-enable.json",
	    "group_change_settings");
	settings = sent.typed;
	assert_string_equal(settings->changes->enable_market->new_value, "1");
	assert_string_equal(settings->changes->enable_audio->old_value, "0");
	assert_string_equal(settings->changes->title->new_value, "b");
	sent_release(&sent);
}

/* The attachments are in the order of the body. */
static void
attachments_are_structs(void **state)
{
	struct sent sent;
	const struct vk_attachment *one = message_of(&sent,
	    "tests/faults/attachments.json")->attachments;

	(void)state;
	assert_int_equal(one[0].article->views, 217);
	assert_int_equal(one[0].article->photo->sizes[0].width, 130);
	assert_string_equal(one[1].audio_playlist->audios[0].artist, "Хор");
	assert_int_equal(one[1].audio_playlist->original->playlist_id, 7);
	assert_int_equal(one[2].mini_app->app->id, 6979558);
	assert_string_equal(one[3].pretty_cards->cards[0].price, "1290");
	assert_string_equal(one[4].poll->access_key, "p1");
	assert_int_equal(one[4].poll->friends[0].id, 1234567);
	assert_string_equal(one[4].poll->profiles[0].last_name, "Ёлкина");
	assert_string_equal(one[4].poll->groups[0].screen_name, "masters");
	assert_int_equal(one[8].link->target_object->item_id, 1544);
	assert_int_equal(one[9].album->sizes[0].height, 50);
	assert_true(one[9].album->thumb_is_last);
	assert_string_equal(one[10].audio_message->locale, "ru");
	assert_int_equal(one[11].podcast->podcast_info->Cover->cover[0].width,
	    80);
	assert_true(one[11].podcast->no_search);
	sent_release(&sent);
}

static void
what_is_inside_is_a_struct(void **state)
{
	struct sent sent;
	const struct vk_attachment *one = message_of(&sent,
	    "tests/faults/attachments.json")->attachments;
	const struct vk_clickable_stickers *areas =
	    one[5].story->clickable_stickers;
	const struct vk_video *video = one[6].video;

	(void)state;
	assert_int_equal(areas->original_height, 1920);
	assert_int_equal(areas->clickable_stickers[0].clickable_area[1].x, 500);
	assert_string_equal(areas->clickable_stickers[0].link_object->title,
	    "Сайт");
	assert_int_equal(one[5].story->replies->new_, 1);
	assert_false(vk_has(one[5].story->questions));
	assert_int_equal(one[5].story->narrative_info->views, 120);
	assert_string_equal(video->episodes[1].text, "Глина");
	assert_int_equal(video->live_settings->max_duration, 7200);
	assert_true(video->restriction->blur && video->processing);
	assert_int_equal(video->restriction->card_icon[0].width, 24);
	assert_string_equal(video->action_button->snippet->open_title,
	    "Открыть");
	assert_string_equal(video->first_frame_320,
	    "https://sun9-1.userapi.com/f320.jpg");
	assert_true(one[7].wall->friends_only);
	assert_true(one[7].wall->reposts->user_reposted);
	assert_int_equal(one[7].wall->header->custom_description->source_id,
	    -77112233);
	sent_release(&sent);
}

static void
attachments_of_apps_are_structs(void **state)
{
	struct sent sent;
	const struct vk_message *message = message_of(&sent,
	    "tests/faults/attachments.json");
	const struct vk_attachment *one = message->attachments;

	(void)state;
	assert_int_equal(message->expire_ttl, 86400);
	assert_string_equal(one[12].video_message->transcript_state, "done");
	assert_int_equal(one[12].video_message->image[0].width, 130);
	assert_int_equal(one[13].narrative->story_ids[1], 456239043);
	assert_int_equal(one[13].narrative->cover->cropped_sizes[0].width, 400);
	assert_int_equal(one[14].ugc_sticker->images[0].height, 128);
	assert_string_equal(one[15].channel_message->channel_info->title,
	    "Тверские мастера");
	assert_string_equal(one[15].channel_message->attachments[0].type,
	    "audios");
	assert_int_equal(one[16].curator->photo[0].width, 200);
	assert_int_equal(one[17].artist->photo[0].width, 200);
	assert_int_equal(one[18].sticker_pack_preview->price->regular, 25);
	sent_release(&sent);
}

static void
a_keyboard_has_rows_of_buttons(void **state)
{
	const struct vk_keyboard *keyboard;
	struct sent sent;

	(void)state;
	sent_init(&sent, "tests/bodies/message_reply.json", "message_reply");
	keyboard = ((const struct vk_message *)sent.typed)->keyboard;
	assert_int_equal(keyboard->n_buttons, 6);
	assert_int_equal(keyboard->buttons[0].n_buttons, 2);
	assert_string_equal(keyboard->buttons[0].buttons[1].action->type,
	    "callback");
	assert_string_equal(keyboard->buttons[5].buttons[0].color, "default");
	sent_release(&sent);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shared_post_has_an_owner),
		cmocka_unit_test(a_post_has_its_newer_fields),
		cmocka_unit_test(a_text_has_its_format),
		cmocka_unit_test(a_text_with_a_nul_is_kept),
		cmocka_unit_test(money_is_attached),
		cmocka_unit_test(an_item_has_its_rating),
		cmocka_unit_test(a_track_has_its_album),
		cmocka_unit_test(a_running_call_can_be_joined),
		cmocka_unit_test(settings_have_their_newer_keys),
		cmocka_unit_test(attachments_are_structs),
		cmocka_unit_test(what_is_inside_is_a_struct),
		cmocka_unit_test(attachments_of_apps_are_structs),
		cmocka_unit_test(a_keyboard_has_rows_of_buttons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
