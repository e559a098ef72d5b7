//! The web layer and its routes.

pub mod assets;
pub(crate) mod extract;
pub mod filters;
pub(crate) mod handlers;
mod media_urls;
mod middleware;
pub mod pages;
mod presenters;
pub(crate) mod responses;
pub mod schema;

use crate::web::handlers::{
    comments, drafts, groups, health, home, inbox, links, live, markup, me, media, metrics, people,
    receipts, session, setup, static_files, tokens, unsubscribe, updates, uploads, workspace,
};
pub(crate) use middleware::handle_request;

use actix_web::http::Method;
use actix_web::web::{ServiceConfig, delete, get, method, patch, post, put, resource, to};

/// Registers every route.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .configure(media_address_routes)
        .configure(operation_routes)
        .configure(account_routes)
        .configure(people_routes)
        .configure(update_routes)
        .configure(receipt_routes)
        .configure(media_and_comment_routes)
        .configure(inbox_routes)
        .default_service(to(static_files::not_found));
}

/// Registered first, because actix compares a path with one route after the other, and players request many ranges.
fn media_address_routes(config: &mut ServiceConfig) {
    config.service(
        resource("/m/{key}")
            .route(get().to(media::bytes))
            .route(actix_web::web::head().to(media::bytes)),
    );
}

fn operation_routes(config: &mut ServiceConfig) {
    config
        .service(resource("/").route(get().to(home::home)))
        .service(resource("/healthz").route(get().to(health::alive)))
        .service(resource("/readyz").route(get().to(health::ready)))
        .service(resource("/metrics").route(get().to(metrics::metrics)))
        .service(resource("/openapi.json").route(get().to(static_files::openapi)))
        .service(resource("/robots.txt").route(get().to(static_files::robots)))
        .service(resource("/assets/{name}").route(get().to(static_files::asset)))
        .service(resource("/favicon.ico").route(get().to(static_files::favicon)));
}

fn account_routes(config: &mut ServiceConfig) {
    config
        .service(
            resource("/setup")
                .route(get().to(setup::show))
                .route(post().to(setup::create)),
        )
        .service(
            resource("/session")
                .route(get().to(session::show))
                .route(post().to(session::sign_in))
                .route(delete().to(session::sign_out)),
        )
        .service(resource("/sessions").route(get().to(session::list)))
        .service(resource("/sessions/{id}").route(delete().to(session::end_session)))
        .service(
            resource("/tokens")
                .route(get().to(tokens::list))
                .route(post().to(tokens::create)),
        )
        .service(resource("/tokens/{id}").route(delete().to(tokens::end)))
        .service(
            resource("/me")
                .route(get().to(me::show))
                .route(patch().to(me::edit)),
        )
        .service(resource("/me/password").route(put().to(me::change_password)));
}

fn people_routes(config: &mut ServiceConfig) {
    config
        .service(resource("/people").route(get().to(people::list)))
        .service(resource("/people/{id}").route(patch().to(people::change)))
        .service(resource("/people/{id}/reset").route(post().to(people::create_reset_link)))
        .service(
            resource("/invitations")
                .route(get().to(people::invitations))
                .route(post().to(people::invite)),
        )
        .service(
            resource("/invitations/{id}")
                .route(get().to(people::invitation))
                .route(post().to(people::accept))
                .route(delete().to(people::withdraw)),
        )
        .service(
            resource("/resets/{token}")
                .route(get().to(people::reset_page))
                .route(post().to(people::reset)),
        )
        .service(
            resource("/groups")
                .route(get().to(groups::list))
                .route(post().to(groups::create)),
        )
        .service(
            resource("/groups/{id}")
                .route(patch().to(groups::change))
                .route(delete().to(groups::remove)),
        )
        .service(
            resource("/groups/{id}/members/{person}").route(delete().to(groups::remove_member)),
        )
        .service(
            resource("/workspace")
                .route(get().to(workspace::show))
                .route(patch().to(workspace::change)),
        )
        .service(
            resource("/unsubscribe/{token}")
                .route(get().to(unsubscribe::show))
                .route(post().to(unsubscribe::stop)),
        );
}

fn update_routes(config: &mut ServiceConfig) {
    config
        .service(
            resource("/updates")
                .route(get().to(updates::library))
                .route(post().to(updates::create)),
        )
        .service(resource("/updates/new").route(get().to(updates::new_page)))
        .service(
            resource("/updates/{id}")
                .route(get().to(updates::show))
                .route(patch().to(updates::edit))
                .route(delete().to(updates::trash)),
        )
        .service(resource("/updates/{id}/edit").route(get().to(updates::edit_page)))
        .service(resource("/updates/{id}/restoration").route(put().to(updates::restore)))
        .service(
            resource("/updates/{id}/publication")
                .route(put().to(updates::publish))
                .route(delete().to(updates::unpublish)),
        )
        .service(resource("/updates/{id}/opening").route(put().to(updates::open)))
        .service(resource("/updates/{id}/media").route(post().to(media::add)))
        .service(
            resource("/uploads")
                .route(get().to(uploads::list))
                .route(post().to(uploads::create))
                .route(method(Method::OPTIONS).to(uploads::options)),
        )
        .service(
            resource("/uploads/{id}")
                .route(get().to(uploads::show))
                .route(actix_web::web::head().to(uploads::head))
                .route(patch().to(uploads::patch))
                .route(delete().to(uploads::remove))
                .route(method(Method::OPTIONS).to(uploads::options)),
        )
        .service(
            resource("/updates/{id}/audience/{person}").route(put().to(updates::add_recipient)),
        )
        .service(resource("/updates/{id}/versions").route(get().to(updates::versions)))
        .service(
            resource("/updates/{id}/mute")
                .route(put().to(updates::mute))
                .route(delete().to(updates::unmute)),
        );
}

fn receipt_routes(config: &mut ServiceConfig) {
    config
        .service(resource("/receipts").route(get().to(receipts::overview)))
        .service(resource("/updates/{id}/receipts").route(get().to(receipts::list)))
        .service(resource("/updates/{id}/receipts/{person}").route(get().to(receipts::show)))
        .service(
            resource("/updates/{id}/receipts/{person}/confirmation")
                .route(put().to(receipts::confirm))
                .route(delete().to(receipts::withdraw)),
        )
        .service(
            resource("/updates/{id}/receipts/{person}/disclosure")
                .route(put().to(receipts::disclose))
                .route(delete().to(receipts::withhold)),
        )
        .service(
            resource("/updates/{id}/acknowledgement")
                .route(put().to(receipts::acknowledge))
                .route(delete().to(receipts::take_back)),
        )
        .service(
            resource("/updates/{id}/decline")
                .route(put().to(receipts::decline))
                .route(delete().to(receipts::take_back)),
        )
        .service(resource("/updates/{id}/reminders").route(post().to(receipts::remind)))
        .service(
            resource("/updates/{id}/reactions/{emoji}")
                .route(put().to(comments::react_to_update))
                .route(delete().to(comments::unreact_to_update)),
        )
        .service(
            resource("/updates/{id}/comments")
                .route(get().to(comments::list))
                .route(post().to(comments::add)),
        )
        .service(
            resource("/updates/{id}/drafts/{subject}")
                .route(put().to(drafts::put))
                .route(delete().to(drafts::discard)),
        )
        .service(
            resource("/updates/{id}/links")
                .route(get().to(links::list))
                .route(post().to(links::create)),
        )
        .service(resource("/updates/{id}/access").route(get().to(updates::access)))
        .service(resource("/updates/{id}/live").route(get().to(live::update)))
        .service(
            resource("/trash")
                .route(get().to(updates::trash_page))
                .route(delete().to(updates::empty_trash)),
        )
        .service(resource("/trash/{id}").route(delete().to(updates::delete)));
}

fn media_and_comment_routes(config: &mut ServiceConfig) {
    config
        .service(
            resource("/media/{id}")
                .route(get().to(media::show))
                .route(delete().to(media::remove)),
        )
        .service(resource("/media/{id}/position").route(put().to(media::move_to)))
        .service(
            resource("/media/{id}/trim")
                .route(put().to(media::trim))
                .route(delete().to(media::untrim)),
        )
        .service(
            resource("/media/{id}/markup")
                .route(get().to(markup::show))
                .route(put().to(markup::put)),
        )
        .service(
            resource("/comments/{id}")
                .route(get().to(comments::show))
                .route(patch().to(comments::edit))
                .route(delete().to(comments::remove)),
        )
        .service(
            resource("/comments/{id}/reactions/{emoji}")
                .route(put().to(comments::react_to_comment))
                .route(delete().to(comments::unreact_to_comment)),
        )
        .service(
            resource("/comments/{id}/resolution")
                .route(put().to(comments::resolve))
                .route(delete().to(comments::reopen)),
        )
        .service(
            resource("/comments/{id}/acceptance")
                .route(put().to(comments::accept))
                .route(delete().to(comments::take_back)),
        )
        .service(resource("/comments/{id}/history").route(get().to(comments::history)))
        .service(resource("/links").route(get().to(links::all)))
        .service(resource("/links/{id}").route(delete().to(links::revoke)))
        .service(resource("/s/{token}").route(get().to(links::open)));
}

fn inbox_routes(config: &mut ServiceConfig) {
    config
        .service(resource("/inbox").route(get().to(inbox::show)))
        .service(resource("/inbox/live").route(get().to(live::inbox)))
        .service(resource("/inbox/next").route(get().to(inbox::next)))
        .service(
            resource("/inbox/{id}/snooze")
                .route(put().to(inbox::snooze))
                .route(delete().to(inbox::unsnooze)),
        )
        .service(resource("/search").route(get().to(updates::search)));
}
