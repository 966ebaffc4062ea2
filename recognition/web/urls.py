"""Addresses of the pages."""

from __future__ import annotations

from django.urls import path

from recognition.web import kiosks, views

urlpatterns = [
    path("", views.home, name="home"),
    path("live/", views.live, name="live"),
    path("search/", views.search, name="search"),
    path("compare/", views.compare, name="compare"),
    path("kiosk/", kiosks.pair, name="kiosk"),
    path("checkpoint/<slug:slug>/", kiosks.checkpoint, name="checkpoint"),
    path("samples/<int:sample_id>/image/", views.sample_image, name="sample-image"),
    path("photos/<int:photo_id>/image/", views.waiting_photo, name="waiting-photo"),
    path("events/<int:event_id>/crop/", views.event_crop, name="event-crop"),
    path("unknowns/<int:face_id>/image/", views.unknown_face, name="unknown-face"),
    path("videos/faces/<int:appearance_id>/image/", views.video_face, name="video-face"),
]
