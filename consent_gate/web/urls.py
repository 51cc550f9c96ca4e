"""Every address of the staff web pages. ``permissions.PAGES`` says who may use each."""

from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, path

from consent_gate.web.views import (
    accounts,
    audit,
    imports,
    picture,
    previews,
    published,
    pupils,
    queue,
    system,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", accounts.home, name="home"),
    path("login/", accounts.LogIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("setup/", accounts.setup, name="setup"),
    path("queue/", queue.held, name="queue"),
    path("queue/batch/", queue.batch, name="queue_batch"),
    path("queue/progress/", queue.progress, name="queue_progress"),
    path("pictures/<slug:item_id>/", picture.show, name="picture"),
    path("pictures/<slug:item_id>/face/", picture.face, name="picture_face"),
    path("pictures/<slug:item_id>/faces/<int:index>/", picture.tag, name="picture_tag"),
    path("pictures/<slug:item_id>/faces/", picture.add_face, name="picture_add_face"),
    path("pictures/<slug:item_id>/describe/", picture.describe, name="picture_describe"),
    path("pictures/<slug:item_id>/seal/", picture.seal, name="picture_seal"),
    path("pictures/<slug:item_id>/decide/", picture.decide, name="picture_decide"),
    path("pictures/<slug:item_id>/undo/", picture.undo, name="picture_undo"),
    path("pictures/<slug:item_id>/preview.jpg", previews.preview, name="picture_preview"),
    path("pictures/<slug:item_id>/thumbnail.jpg", previews.thumbnail, name="picture_thumbnail"),
    path("sealed/", picture.sealed, name="sealed"),
    path("sealed/what-now/", picture.sealed_advice, name="sealed_advice"),
    path("pupils/", pupils.overview, name="pupils"),
    path("pupils/<str:number>/", pupils.show, name="pupil"),
    path("pupils/<str:number>/recall/", pupils.recall, name="pupil_recall"),
    path("imports/", imports.overview, name="imports"),
    path("imports/<slug:token>/", imports.preview, name="import_preview"),
    path("imports/<slug:token>/apply/", imports.apply, name="import_apply"),
    path("published/", published.overview, name="published"),
    path("published/<slug:publication_id>/take-back/", published.take_back, name="take_back"),
    path("audit/", audit.overview, name="audit"),
    path("audit/verify/", audit.verify, name="audit_verify"),
    path("audit/export/", audit.export, name="audit_export"),
    path("health/", system.health, name="health"),
    path("settings/", system.settings, name="settings"),
    path("people/", system.people, name="people"),
    path("people/<int:user_id>/", system.person, name="person"),
]
