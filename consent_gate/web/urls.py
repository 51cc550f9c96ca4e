"""Every address of the staff web pages. ``permissions.PAGES`` says who may use each."""

from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, path

from consent_gate.web.views import accounts, picture, previews, queue

urlpatterns: list[URLPattern | URLResolver] = [
    path("", accounts.home, name="home"),
    path("login/", accounts.LogIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("setup/", accounts.setup, name="setup"),
    path("queue/", queue.held, name="queue"),
    path("pictures/<slug:item_id>/", picture.show, name="picture"),
    path("pictures/<slug:item_id>/face/", picture.face, name="picture_face"),
    path("pictures/<slug:item_id>/faces/<int:index>/", picture.tag, name="picture_tag"),
    path("pictures/<slug:item_id>/decide/", picture.decide, name="picture_decide"),
    path("pictures/<slug:item_id>/undo/", picture.undo, name="picture_undo"),
    path("pictures/<slug:item_id>/preview.jpg", previews.preview, name="picture_preview"),
    path("pictures/<slug:item_id>/thumbnail.jpg", previews.thumbnail, name="picture_thumbnail"),
]
