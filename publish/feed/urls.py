"""URLs of the feeds. There is no directory listing; the manifest lists the pictures and films."""

from django.urls import path, re_path

from publish.feed import views

urlpatterns = [
    path("<slug:channel>/manifest.json", views.feed_manifest, name="feed_manifest"),
    re_path(
        r"^(?P<channel>[a-z][a-z0-9-]{0,30})/(?P<month>\d{4}-\d\d)/(?P<name>[a-z2-7]{26}\.(jpg|webp|avif|mp4))$",
        views.feed_file,
        name="feed_file",
    ),
    path(
        "<slug:channel>/withdrawn/<slug:publication_id>/confirm",
        views.feed_confirm,
        name="feed_confirm",
    ),
]
