/* SPDX-License-Identifier: Apache-2.0 */
#include "web/assets.h"

#include "base/task.h"
#include "crypto/base64.h"
#include "crypto/digest.h"
#include "http/folder.h"
#include "web/room.h"

#define VERSION_CHARS 16

static const struct {
	struct str ending;
	struct str type;
} types[] = {
	{ STR_INIT(".css"), STR_INIT("text/css; charset=utf-8") },
	{ STR_INIT(".js"), STR_INIT("text/javascript; charset=utf-8") },
	{ STR_INIT(".svg"), STR_INIT("image/svg+xml") },
};

static struct str type_of(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (str_ends_with(name, types[i].ending))
			return types[i].type;
	return STR_NONE;
}

static struct asset make(struct arena *arena, const struct folder_file *file)
{
	struct str digest = base64url_encode(arena, sha256_str(arena, file->text));
	struct str version = str_sub(digest, 0, VERSION_CHARS);

	return (struct asset){
		.name = file->name,
		.text = file->text,
		.type = type_of(file->name),
		.version = version,
		.etag = STR_JOIN(arena, STR("\""), version, STR("\"")),
	};
}

enum err assets_load(struct task *task, struct arena *arena, struct str dir,
		     struct assets *ret_assets)
{
	const struct folder_wish wish = { dir, STR(""), ASSET_FILE_MAX };
	struct folder_file *files = NULL;
	struct assets assets = { 0 };
	size_t count = 0;

	TRY(folder_read(task, arena, &wish, &files, &count));
	for (size_t i = 0; i < count; i++) {
		struct asset asset = make(arena, &files[i]);

		if (asset.type.at == NULL || assets.count == ASSETS_MAX)
			return failf(task, ERR_CONFIG, "%.*s: %.*s does not belong here",
				     STR_FMT(dir), STR_FMT(asset.name));
		assets.list[assets.count++] = asset;
	}
	*ret_assets = assets;
	return OK;
}

const struct asset *assets_find(const struct assets *assets, struct str name)
{
	for (size_t i = 0; i < assets->count; i++)
		if (str_equals(assets->list[i].name, name))
			return &assets->list[i];
	return NULL;
}

/* A page names the version it was made for; without one the browser asks again after an hour. */
enum err web_static(struct exchange *exchange)
{
	const struct request *request = &exchange->request;
	const struct asset *asset = assets_find(&web_of(exchange)->assets, request->params[0]);
	struct str known = request_field(request, STR("If-None-Match"));

	if (asset == NULL)
		return fail(&exchange->task, ERR_NOT_FOUND, "no such file");
	reply_field(exchange, STR("ETag"), asset->etag);
	if (str_starts_with(request->query, STR("v=")) &&
	    str_equals(str_from(request->query, 2), asset->version))
		reply_field(exchange, STR("Cache-Control"),
			    STR("public, max-age=31536000, immutable"));
	else
		reply_field(exchange, STR("Cache-Control"), STR("public, max-age=3600"));
	if (str_equals(known, asset->etag))
		reply_with(exchange, 304, asset->type, STR(""));
	else
		reply_with(exchange, 200, asset->type, asset->text);
	return OK;
}
