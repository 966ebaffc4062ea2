"""The pages: parse, one call, render."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_http_methods

from recognition import wording
from recognition.models import EventCrop, FaceSample, SampleImage, UnknownFace, VideoAppearance
from recognition.selectors import people, thresholds
from recognition.services import analysis, pictured
from recognition.services import search as photo_search
from recognition.web.access import needs
from recognition.web.forms import PhotoForm, PhotosForm
from recognition.web.log_in import start_page
from recognition.web.presentation import face_cards, histogram, photo_card

SEARCH_PAGE = "recognition/search.html"
COMPARE_PAGE = "recognition/compare.html"

# A face is kept by neither browser nor proxy, and is nothing but a picture.
_NOT_KEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

# Mid grey, so that it is seen on light and dark pages alike.
_NO_PHOTO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" fill="none" stroke="#7d8a98" stroke-width="4">'
    '<circle cx="48" cy="36" r="15"/><path d="M20 82a28 24 0 0 1 56 0"/><path d="M14 14l68 68"/></svg>'
)


@require_GET
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """The dashboard of the admin for staff; everybody else is led to the first page that they may open."""
    return admin.site.index(request) if request.user.is_staff else redirect(start_page(request.user))


@require_GET
@never_cache
@needs("recognition.use_live", page=_("the live page"))
def live(request: HttpRequest) -> HttpResponse:
    """The camera page; everything it shows comes over the websocket."""
    return render(request, "recognition/live.html")


@require_http_methods(["GET", "POST"])
@never_cache
@ensure_csrf_cookie
@needs("recognition.search_gallery", page=_("the search page"))
def search(request: HttpRequest) -> HttpResponse:
    """Search by photo: an ordinary form, which the page's script sends without leaving the page."""
    if request.method == "GET":
        return render(request, SEARCH_PAGE, {"form": PhotoForm()})
    form = PhotoForm(request.POST, request.FILES)
    context: dict[str, Any] = {"form": form}
    if not form.is_valid():
        return render(request, SEARCH_PAGE, context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        found = photo_search.search_photo(image=form.cleaned_data["photo"].read())
    except photo_search.SearchRefused as refused:
        form.add_error("photo", str(refused))
        return render(request, SEARCH_PAGE, context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except analysis.AnalyserUnavailable as unavailable:
        form.add_error("photo", str(unavailable))
        return render(request, SEARCH_PAGE, context, status=HTTPStatus.SERVICE_UNAVAILABLE)
    return render(request, SEARCH_PAGE, {**context, "found": found, "cards": face_cards(found)})


@require_http_methods(["GET", "POST"])
@never_cache
@needs("recognition.search_gallery", page=_("the comparison page"))
def compare(request: HttpRequest) -> HttpResponse:
    """Two photos side by side: what was found in each, and how alike the largest faces are."""
    if request.method == "GET":
        return render(request, COMPARE_PAGE, {"form": PhotosForm()})
    form = PhotosForm(request.POST, request.FILES)
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    cards = []
    form.full_clean()
    for number, field in enumerate(form.fields, start=1):
        if field not in form.cleaned_data:
            continue
        try:
            cards.append(photo_card(number, pictured.largest_face(image=form.cleaned_data[field].read())))
        except photo_search.SearchRefused as refused:
            form.add_error(field, str(refused))
        except analysis.AnalyserUnavailable as unavailable:
            form.add_error(field, str(unavailable))
            status = HTTPStatus.SERVICE_UNAVAILABLE
    if not form.is_valid():
        return render(request, COMPARE_PAGE, {"form": form}, status=status)
    first, second = (card.pictured.face for card in cards)
    result = photo_search.compare_faces(first=first, second=second)
    tally = thresholds.of_gallery()
    context = {
        "form": PhotosForm(),
        "cards": cards,
        "result": result,
        "warnings": [wording.poor_face(faults) for faults in result.faults],
        "histogram": histogram(tally, result.similarity) if tally else None,
    }
    return render(request, COMPARE_PAGE, context)


@require_GET
@needs("recognition.view_facesample", page=_("pictures of enrolled people"))
def sample_image(request: HttpRequest, sample_id: int) -> HttpResponse:
    """The picture of an enrolled sample; a drawn one where no photos are kept of the person."""
    jpeg = SampleImage.objects.filter(sample_id=sample_id).values_list("jpeg", flat=True).first()
    if jpeg is None and FaceSample.objects.filter(pk=sample_id).exists():
        return HttpResponse(_NO_PHOTO, content_type="image/svg+xml", headers=_NOT_KEPT)
    return _jpeg(jpeg)


@require_GET
@needs("recognition.view_recognitionevent", page=_("pictures of recognition events"))
def event_crop(request: HttpRequest, event_id: int) -> HttpResponse:
    """The probe of a recognition event."""
    return _jpeg(EventCrop.objects.filter(event_id=event_id).values_list("jpeg", flat=True).first())


@require_GET
@needs("recognition.view_unknowncluster", page=_("pictures of unknown people"))
def unknown_face(request: HttpRequest, face_id: int) -> HttpResponse:
    """The picture of a face on the page of unknown people, which whoever may open it need not see of other events."""
    return _jpeg(UnknownFace.objects.filter(crop=face_id).values_list("crop__jpeg", flat=True).first())


@require_GET
@needs("recognition.view_video", page=_("pictures of people in videos"))
def video_face(request: HttpRequest, appearance_id: int) -> HttpResponse:
    """The best view of a face in a video."""
    crops = VideoAppearance.objects.filter(pk=appearance_id).exclude(crop_jpeg=b"")
    return _jpeg(crops.values_list("crop_jpeg", flat=True).first())


@require_GET
@needs("recognition.add_facesample", page=_("photos that wait to be enrolled"))
def waiting_photo(request: HttpRequest, photo_id: int) -> HttpResponse:
    """A photo of which the right face is still to be chosen."""
    photo = people.waiting_photos(timezone.now()).filter(pk=photo_id)
    return _jpeg(photo.values_list("preview_jpeg", flat=True).first())


def _jpeg(jpeg: bytes | memoryview | None) -> HttpResponse:
    """A face as an answer."""
    if jpeg is None:
        raise Http404
    return HttpResponse(bytes(jpeg), content_type="image/jpeg", headers=_NOT_KEPT)
